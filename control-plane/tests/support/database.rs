//! The database of a test: a SQLite file in its folder, or one of the PostgreSQL server that this process
//! starts for all its tests. `CLOUDCAM_TEST_DATABASE` says which: `sqlite` (also when unset) or `postgres`.

use std::any::Any;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use control_plane::store::Store;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection};

/// The unprivileged user that PostgreSQL runs as when the tests run as root, which it refuses.
const NOBODY: u32 = 65534;
const DEADLINE: Duration = Duration::from_secs(30);
/// The lock that every writing transaction takes on PostgreSQL.
const WRITER_LOCK: i64 = 0x434c_4f55_4443_414d;

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

/// Which database the tests run on.
pub(crate) fn is_postgres() -> bool {
    match std::env::var("CLOUDCAM_TEST_DATABASE").as_deref() {
        Err(_) | Ok("sqlite") => false,
        Ok("postgres") => true,
        Ok(other) => panic!("CLOUDCAM_TEST_DATABASE is sqlite or postgres, not {other}"),
    }
}

/// The address of the database that belongs to a folder; the same at each call.
pub(crate) fn url_of(dir: &Path) -> String {
    let kept = dir.join("database-url");
    if let Ok(url) = fs::read_to_string(&kept) {
        return url;
    }
    let url = if is_postgres() {
        SERVER.database()
    } else {
        format!("sqlite:{}", dir.join("data/control-plane.sqlite").display())
    };
    fs::write(kept, &url).unwrap();
    url
}

/// A PostgreSQL database of its own, whichever database the other tests run on.
pub(crate) fn postgres() -> String {
    SERVER.database()
}

/// One more PostgreSQL database, without any table.
pub(crate) fn postgres_without_tables() -> String {
    let name = format!("bare_{}", wire::ObjectId::generate()).replace('-', "");
    SERVER.administer(&format!("CREATE DATABASE {name}"));
    SERVER.url(&name)
}

/// Runs SQL on a database.
pub(crate) fn execute(url: &str, sql: &str) {
    match url.strip_prefix("sqlite:") {
        Some(path) => SqliteConnection::establish(path).unwrap().batch_execute(sql),
        None => PgConnection::establish(url).unwrap().batch_execute(sql),
    }
    .unwrap();
}

/// What `SELECT count(*) FROM <what>` says.
pub(crate) fn count(url: &str, what: &str) -> i64 {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        n: i64,
    }
    let query = diesel::sql_query(format!("SELECT count(*) AS n FROM {what}"));
    let row: Count = match url.strip_prefix("sqlite:") {
        Some(path) => query.get_result(&mut SqliteConnection::establish(path).unwrap()),
        None => query.get_result(&mut PgConnection::establish(url).unwrap()),
    }
    .unwrap();
    row.n
}

/// Makes `url` the database that belongs to a folder.
pub(crate) fn choose(dir: &Path, url: &str) {
    fs::write(dir.join("database-url"), url).unwrap();
}

/// Keeps everybody else from writing, as a stuck process would, until the answer is dropped.
pub(crate) fn lock(url: &str) -> Box<dyn Any> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        let mut connection = SqliteConnection::establish(path).unwrap();
        connection
            .batch_execute("PRAGMA busy_timeout = 5000; BEGIN EXCLUSIVE")
            .unwrap();
        return Box::new(connection);
    }
    let mut connection = PgConnection::establish(url).unwrap();
    connection
        .batch_execute(&format!("BEGIN; SELECT pg_advisory_xact_lock({WRITER_LOCK})"))
        .unwrap();
    Box::new(connection)
}

/// A PostgreSQL server in a temporary folder, stopped and removed when this process ends, however it ends.
pub(crate) struct Server {
    port: u16,
    databases: Mutex<u32>,
    /// The server's keeper, which ends it when its standard input ends, and what it says.
    keeper: Mutex<(Child, BufReader<ChildStdout>)>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let programs = programs();
        let dir = tempfile::Builder::new()
            .prefix("cloudcam-postgres-")
            .tempdir()
            .unwrap()
            .keep();
        let as_root = rustix::process::geteuid().is_root();
        if as_root {
            chown(&dir, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).unwrap();
        let command = |program: &Path| {
            let mut command = Command::new(program);
            command
                .current_dir(&dir)
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            if as_root {
                command.uid(NOBODY).gid(NOBODY);
            }
            command
        };
        let made = command(&programs.join("initdb"))
            .args([
                "--pgdata=data",
                "--username=cloudcam",
                "--auth=trust",
                "--encoding=UTF8",
            ])
            .args(["--locale=C.UTF-8", "--no-sync"])
            .status()
            .unwrap();
        assert!(made.success(), "initdb failed in {}", dir.display());
        let port = super::free_port();
        // Nothing that is kept here outlives the tests, so it need not be on disk.
        let run = format!(
            "{}/postgres -D data -p {port} -k {dir} -c listen_addresses=127.0.0.1 -c fsync=off \
             -c max_connections=300 >>log 2>&1 & pid=$!",
            programs.display(),
            dir = dir.display(),
        );
        let keeper = format!(
            "{run}
            while read word; do
                case $word in
                    crash) kill -QUIT $pid; wait $pid ;;
                    start) {run} ;;
                    freeze) frozen=\"$pid $(pgrep -P $pid)\"; kill -STOP $frozen ;;
                    thaw) kill -CONT $frozen ;;
                esac
                echo
            done
            kill -CONT $frozen; kill -INT $pid; wait $pid; rm -rf {dir}",
            dir = dir.display(),
        );
        let mut keeper = command(Path::new("/bin/sh"))
            .args(["-c", &keeper])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let said = BufReader::new(keeper.stdout.take().unwrap());
        let server = Self {
            port,
            databases: Mutex::new(0),
            keeper: Mutex::new((keeper, said)),
        };
        server.make_template(&dir);
        server
    }

    /// Ends without a word to anybody, as in a power cut.
    pub(crate) fn crash(&self) {
        self.tell("crash");
    }

    /// Comes back after [`Server::crash`]; it takes a moment to answer.
    pub(crate) fn resume(&self) {
        self.tell("start");
    }

    /// Answers nothing more, while its connections stay.
    pub(crate) fn freeze(&self) {
        self.tell("freeze");
    }

    /// Goes on after [`Server::freeze`].
    pub(crate) fn thaw(&self) {
        self.tell("thaw");
    }

    /// Runs SQL as its administrator.
    pub(crate) fn administer(&self, sql: &str) {
        let mut connection = PgConnection::establish(&self.url("postgres")).unwrap();
        connection.batch_execute(sql).unwrap();
    }

    fn tell(&self, word: &str) {
        let (keeper, said) = &mut *self.keeper.lock().unwrap();
        writeln!(keeper.stdin.as_mut().unwrap(), "{word}").unwrap();
        said.read_line(&mut String::new()).unwrap();
    }

    fn make_template(&self, dir: &Path) {
        let started = Instant::now();
        let mut connection = loop {
            match PgConnection::establish(&self.url("postgres")) {
                Ok(connection) => break connection,
                Err(error) if started.elapsed() > DEADLINE => {
                    panic!("PostgreSQL in {} does not answer: {error}", dir.display())
                }
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        };
        connection.batch_execute("CREATE DATABASE migrated").unwrap();
        drop(Store::open(&self.url("migrated")).unwrap());
    }

    /// One more database, migrated and empty.
    pub(crate) fn database(&self) -> String {
        let mut count = self.databases.lock().unwrap();
        *count += 1;
        let name = format!("test_{count}");
        let mut connection = PgConnection::establish(&self.url("postgres")).unwrap();
        // The connections of the template's making may take a moment to end.
        let started = Instant::now();
        while let Err(error) = connection.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE migrated"))
        {
            assert!(started.elapsed() < DEADLINE, "{error}");
            std::thread::sleep(Duration::from_millis(20));
        }
        self.url(&name)
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://cloudcam@127.0.0.1:{}/{database}", self.port)
    }
}

/// The server's programs: on PATH, or where Debian's package puts them; the newest of several.
fn programs() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(programs) = std::env::split_paths(&path).find(|dir| dir.join("initdb").exists()) {
        return programs;
    }
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            let programs = entry.path().join("bin");
            programs.join("initdb").exists().then_some((version, programs))
        })
        .collect();
    found.sort();
    let (_, programs) = found
        .pop()
        .expect("PostgreSQL's server must be installed: apt-get install postgresql");
    programs
}
