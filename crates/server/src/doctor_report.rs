//! What the machine lacks, in words: `ringslot doctor`, and the look that a node takes before it starts.
//!
//! The probes are `runtime::doctor`'s. A fatal finding stops a node before it touches a file or a port; the
//! others are only worth a line in the log.

use runtime::data::RingSizes;
use runtime::doctor::{examine, Finding, Needs};
use std::error::Error;
use std::process::ExitCode;

/// Executors of the control plane: the bus, and everything else.
const EXECUTORS: usize = 2;

/// Options of `ringslot doctor`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Data cores that the node is going to have [default: one for each processor]
    #[arg(long)]
    cores: Option<usize>,
    /// Clients at once (maxclients)
    #[arg(long, default_value_t = 10_000)]
    clients: u64,
    /// Connections that may wait to be accepted (tcp-backlog)
    #[arg(long, default_value_t = 511)]
    backlog: u32,
}

/// Prints every finding with the line that mends it; fails when a node could not run.
pub fn run(options: &Options) -> Result<ExitCode, Box<dyn Error>> {
    let cores = match options.cores {
        Some(cores) => cores,
        None => runtime::thread::allowed_cpus()?.len(),
    };
    let findings = examine(&Needs { max_clients: options.clients, backlog: options.backlog, ..needs(cores) });
    print!("{}", report(cores, &findings));
    Ok(if findings.iter().any(|finding| finding.fatal) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Refuses to start a node that could not run; what could only be better goes to the log.
pub fn refuse_if_fatal(cores: usize) -> Result<(), Box<dyn Error>> {
    let (fatal, better): (Vec<Finding>, Vec<Finding>) =
        examine(&needs(cores)).into_iter().partition(|finding| finding.fatal);
    for finding in &better {
        tracing::warn!("{}", one_line(finding));
    }
    match fatal.is_empty() {
        true => Ok(()),
        false => Err(fatal.iter().map(one_line).collect::<Vec<_>>().join("\n").into()),
    }
}

/// Clients and backlog as configured by default: what depends on them is never fatal.
fn needs(cores: usize) -> Needs {
    Needs { cores, executors: EXECUTORS, max_clients: 10_000, ring: RingSizes::default(), backlog: 511 }
}

fn one_line(finding: &Finding) -> String {
    let Finding { what, found, needed, mend, .. } = finding;
    format!("{what}: found {found}; needed {needed}. To mend it: {mend}")
}

fn report(cores: usize, findings: &[Finding]) -> String {
    let (major, minor) = runtime::thread::kernel_version();
    let mut text = format!("Linux {major}.{minor}, {cores} data core{}\n", if cores == 1 { "" } else { "s" });
    for Finding { what, found, needed, mend, fatal } in findings {
        let weight = if *fatal { "FATAL" } else { "could be better" };
        text +=
            &format!("\n[{weight}] {what}\n    found:  {found}\n    needed: {needed}\n    mend:   {mend}\n");
    }
    text += match (findings.is_empty(), findings.iter().any(|finding| finding.fatal)) {
        (true, _) => "Nothing is missing: a node can run here.\n",
        (false, false) => "\nA node can run here.\n",
        (false, true) => "\nA node cannot run here before what is fatal has been mended.\n",
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(fatal: bool) -> Finding {
        let (found, needed, mend) = ("Linux 5.4".into(), "Linux 6.1".into(), "install it".into());
        Finding { what: "kernel", found, needed, mend, fatal }
    }

    #[test]
    fn every_finding_comes_with_what_mends_it() {
        let text = report(2, &[finding(true), finding(false)]);
        assert_eq!(text.matches("mend:   install it").count(), 2);
        assert!(text.contains("[FATAL] kernel") && text.ends_with("has been mended.\n"), "{text}");
        assert!(report(2, &[finding(false)]).ends_with("A node can run here.\n"));
        assert!(report(1, &[]).contains("1 data core\nNothing is missing"));
        assert_eq!(
            one_line(&finding(true)),
            "kernel: found Linux 5.4; needed Linux 6.1. To mend it: install it"
        );
    }
}
