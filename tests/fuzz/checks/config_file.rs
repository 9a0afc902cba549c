//! A configuration file of anything: loaded or refused, never fatal. What CONFIG REWRITE makes of a file
//! that loads is loaded again, says the same, and is not changed by a second rewrite.

use config::{Config, Loader, Sources};

/// Checks one file's text.
pub fn check(text: &[u8]) {
    let Some(loaded) = load(text) else { return };
    let rewritten = loaded.rewrite(text);
    let shown = || String::from_utf8_lossy(&rewritten).into_owned();
    let Some(again) = load(&rewritten) else { panic!("a rewritten file cannot be loaded:\n{}", shown()) };
    assert_eq!(again, loaded, "a rewritten file says something else:\n{}", shown());
    assert_eq!(again.rewrite(&rewritten), rewritten, "a second rewrite changes the file");
}

fn load(text: &[u8]) -> Option<Config> {
    let mut loader = Loader::default();
    loader.load(text, &mut NoFiles).ok()?;
    Some(loader.finish().ok()?.0)
}

/// What is included is empty.
struct NoFiles;

impl Sources for NoFiles {
    fn read_file(&mut self, _: &[u8]) -> Result<Vec<u8>, String> {
        Ok(Vec::new())
    }

    fn read_stdin(&mut self) -> Result<Vec<u8>, String> {
        Ok(Vec::new())
    }
}
