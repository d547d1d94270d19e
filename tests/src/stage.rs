//! A stage for end-to-end tests: a sandbox, a merchant's folder, a member list, and the program's commands on them.
//!
//! Afterwards the stage says whether the members of the sandbox, the reports and the file of refused rows are those of
//! the list.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use wxmember::Plaintext;
use wxmember_sandbox::{Sandbox, SandboxBuilder};

use crate::{
    folder::Folder,
    identity,
    members::{MemberList, MemberRow},
    wxmember,
};

/// Everything that an import needs, in one folder that goes with the value.
pub struct Stage {
    /// The platform's side.
    pub sandbox: Sandbox,
    /// The merchant's side.
    pub folder: Folder,
    /// What is to be imported.
    pub list: MemberList,
    more: Vec<String>,
}

impl Stage {
    /// Starts the sandbox with the test keys and writes the list.
    ///
    /// # Panics
    ///
    /// When it cannot be set up.
    pub async fn set_up(sandbox: SandboxBuilder, list: MemberList) -> Self {
        let sandbox = sandbox
            .with_identity(identity().expect("the test keys"))
            .start()
            .await
            .expect("a sandbox");
        let folder = Folder::write(&sandbox.base_url());
        let profile = fs::read_to_string(folder.path.join("wxmember.toml")).expect("the profile");
        folder.put("wxmember.toml", &format!("{profile}validity = \"permanent\"\n"));
        let stage = Self {
            sandbox,
            folder,
            list,
            more: Vec::new(),
        };
        let ledger = stage.path("ledger.db").display().to_string();
        stage.write_list(LIST, list);
        stage.with_ledger(&["--ledger", &ledger])
    }

    /// Takes another ledger; the words are arguments of every command.
    #[must_use]
    pub fn with_ledger(mut self, words: &[&str]) -> Self {
        self.more = words.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    /// Writes a list into the folder.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    pub fn write_list(&self, name: &str, list: MemberList) {
        let mut text = Vec::new();
        list.write(&mut text).expect("memory");
        fs::write(self.path(name), text).expect("a folder that can be written");
    }

    /// A path in the folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path.join(name)
    }

    /// The list's file.
    #[must_use]
    pub fn list_path(&self) -> PathBuf {
        self.path(LIST)
    }

    /// The ledger's file, for stages that have not taken another one.
    #[must_use]
    pub fn ledger_path(&self) -> PathBuf {
        self.path("ledger.db")
    }

    /// `wxmember import` of the list; more arguments can be added.
    #[must_use]
    pub fn import(&self) -> Command {
        let mut command = self.command("import");
        command.arg(self.list_path());
        command
    }

    /// A command that reads the ledger and needs no profile.
    #[must_use]
    pub fn reading(&self, verb: &str) -> Command {
        let mut command = wxmember(self.folder.home());
        command.arg(verb).args(&self.more).stdin(Stdio::null());
        command
    }

    /// A command with the profile, the ledger, and its report as JSON; nothing of the environment but the home.
    #[must_use]
    pub fn command(&self, verb: &str) -> Command {
        let mut command = wxmember(self.folder.home());
        command.arg(verb).args(["--format", "json", "--config"]);
        command.arg(self.path("wxmember.toml")).args(&self.more);
        // Temporary files, if there are any, are to be found among the others.
        let temporary = self.path("tmp");
        fs::create_dir_all(&temporary).expect("a folder that can be written");
        command.env("TMPDIR", temporary).stdin(Stdio::null());
        command
    }

    /// Starts a command; what it says goes into files of this name, so that no pipe fills up.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn start(&self, name: &str, mut command: Command) -> Child {
        let file =
            |end| fs::File::create(self.path(&format!("{name}.{end}"))).expect("a file for what is said");
        let child = command.stdout(file("stdout")).stderr(file("stderr")).spawn();
        child.expect("the program")
    }

    /// What a command that was started under this name printed.
    ///
    /// # Errors
    ///
    /// The text, when it is no JSON.
    pub fn report(&self, name: &str) -> Result<Value, String> {
        let text = self.read(&format!("{name}.stdout"));
        serde_json::from_str(&text).map_err(|error| format!("the report is no JSON: {error}: {text}"))
    }

    /// Everything a command said, and the list, for whoever must find out what went wrong.
    #[must_use]
    pub fn said(&self, name: &str) -> String {
        format!(
            "stdout: {}\nstderr: {}\nlist: {}",
            self.read(&format!("{name}.stdout")),
            self.read(&format!("{name}.stderr")),
            self.read(LIST)
        )
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage").finish_non_exhaustive()
    }
}

/// The sandbox's members and the good rows of some lists are the same, one to one.
///
/// # Errors
///
/// The first difference.
pub fn check_members(sandbox: &Sandbox, lists: &[MemberList]) -> Result<(), String> {
    let mut expected: BTreeMap<String, MemberRow> = lists
        .iter()
        .flat_map(|list| list.good_rows())
        .map(|row| (row.user_card_code.clone(), row))
        .collect();
    for member in sandbox.members() {
        let code = member.user_card_code();
        let Some(row) = expected.remove(code) else {
            return Err(format!(
                "code {code} was imported and is no good row's, or is there twice"
            ));
        };
        let phone = member.phone_number().map(Plaintext::expose);
        let name = member
            .personal_fields()
            .find(|(pointer, _)| pointer.starts_with("/user_information"))
            .map(|(_, value)| value.expose());
        if (phone, name) != (Some(&*row.phone_number), Some(&*row.name)) {
            return Err(format!("row {} was imported as somebody else", row.row));
        }
    }
    match expected.values().next() {
        None => Ok(()),
        Some(row) => Err(format!(
            "{} good rows were not imported, the first is row {}",
            expected.len(),
            row.row
        )),
    }
}

/// The sums of a report are those of the list.
///
/// # Errors
///
/// What differs.
pub fn check_report(report: &Value, list: MemberList) -> Result<(), String> {
    let good = list.good_rows().count() as u64;
    let rows = list.rows().count() as u64;
    let count = |name: &str| report[name].as_u64().ok_or_else(|| format!("no `{name}`"));
    let found = (
        count("rows")?,
        count("imported")? + count("present")?,
        count("refused")?,
        count("unknown")?,
        count("queued")?,
    );
    if found == (rows, good, rows - good, 0, 0) {
        Ok(())
    } else {
        Err(format!(
            "rows, imported and present, refused, unknown, queued are {found:?}, where {good} of {rows} rows are good"
        ))
    }
}

/// The file of refused rows holds the rows with a mistake, each with its code, and no others.
///
/// # Errors
///
/// What differs.
pub fn check_refused_file(list_path: &Path, list: MemberList) -> Result<(), String> {
    let mut path = list_path.as_os_str().to_owned();
    path.push(".refused.csv");
    let expected: Vec<_> = list
        .rows()
        .filter_map(|row| {
            row.mistake
                .map(|mistake| (row.row.to_string(), mistake.code().to_owned()))
        })
        .collect();
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(_) if expected.is_empty() => return Ok(()),
        Err(error) => return Err(format!("the file of refused rows: {error}")),
    };
    // None of the columns before the message has a comma in a list of ours.
    let found: Vec<_> = text
        .lines()
        .skip(1)
        .map(|line| {
            let mut cells = line.split(',').skip(5).map(str::to_owned);
            (cells.next().unwrap_or_default(), cells.next().unwrap_or_default())
        })
        .collect();
    if found == expected {
        Ok(())
    } else {
        Err(format!("refused are {found:?}, and should be {expected:?}"))
    }
}

const LIST: &str = "members.csv";
