//! A certificate authority by OpenSSL, with its OCSP responder.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};

use super::servers::{output_of, text};

/// Options of `openssl genpkey` for the kinds of keys.
pub(crate) const ECDSA: &str = "-algorithm EC -pkeyopt ec_paramgen_curve:P-256";
pub(crate) const RSA: &str = "-algorithm RSA";

/// The extension of a certificate that demands a staple.
pub(crate) const MUST_STAPLE: &str = "tlsfeature=status_request";

/// An authority in a folder of its own: `ca.pem`, and for each certificate `NAME.pem`, with that of the
/// authority behind it, and `NAME.key`. Each names the responder, at a port that the test has.
pub(crate) struct Authority {
    folder: PathBuf,
    responder_port: u16,
    serial: u32,
}

impl Authority {
    pub(crate) fn make(name: &str, responder_port: u16) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let authority = Self { folder, responder_port, serial: 0x1000 };
        authority.shell(
            "openssl ecparam -genkey -noout -name prime256v1 -out ca.key
             openssl req -x509 -new -key ca.key -subj '/CN=Authority of the tests' -days 30 -out ca.pem
             touch index",
        );
        authority
    }

    pub(crate) fn path(&self, file: &str) -> String {
        self.folder.join(file).display().to_string()
    }

    /// Issues a certificate of the next number, and returns the number; `status` is a line's start in
    /// OpenSSL's index: `V` or `R`.
    pub(crate) fn issue(&mut self, name: &str, status: &str) -> String {
        let responder = format!("http://127.0.0.1:{}/", self.responder_port);
        let access = format!("authorityInfoAccess=OCSP;URI:{responder}");
        self.issue_with(name, status, ECDSA, &[&access])
    }

    /// The same, with a key of another kind, and these extensions.
    pub(crate) fn issue_with(
        &mut self,
        name: &str,
        status: &str,
        key: &str,
        extensions: &[&str],
    ) -> String {
        self.serial += 1;
        let (serial, extensions) = (format!("{:04X}", self.serial), extensions.join("\\n"));
        let revoked = if status == "R" { "260101000000Z,keyCompromise" } else { "" };
        self.shell(&format!(
            "openssl genpkey {key} -out new.key
             openssl req -new -key new.key -subj /CN={name} -out new.csr
             printf 'subjectAltName=DNS:{name}\\n{extensions}\\n' >new.ext
             openssl x509 -req -in new.csr -CA ca.pem -CAkey ca.key -set_serial 0x{serial} -days 30 \\
                 -extfile new.ext -out new.leaf
             cat new.leaf ca.pem >new.pem
             printf '{status}\\t360101000000Z\\t{revoked}\\t{serial}\\tunknown\\t/CN={serial}\\n' >>index
             mv new.key {name}.key; mv new.pem {name}.pem",
        ));
        serial
    }

    /// Revokes the certificate of this number.
    pub(crate) fn revoke(&self, serial: &str) {
        self.shell(&format!(
            "sed -i -E 's/^V(\\t[^\\t]*)\\t\\t{serial}\\t/R\\1\\t260101000000Z,keyCompromise\\t{serial}\\t/' index
             grep -q '^R.*{serial}' index"
        ));
    }

    /// Takes the last certificate out of the list of those that the responder knows.
    pub(crate) fn forget(&self) {
        self.shell("sed -i '$d' index");
    }

    /// Has the responder sign a proof of a certificate into `file`, in DER.
    pub(crate) fn prove(&self, name: &str, file: &str) {
        self.shell(&format!(
            "openssl ocsp -index index -CA ca.pem -rsigner ca.pem -rkey ca.key -issuer ca.pem \\
                 -cert {name}.pem -no_nonce -ndays 2 -respout new.proof
             mv new.proof {file}"
        ));
    }

    /// Signs the list of revoked certificates into `file`.
    pub(crate) fn list_revoked(&self, file: &str) {
        self.list_revoked_with(file, "");
    }

    /// The same, with these options of `openssl ca`.
    pub(crate) fn list_revoked_with(&self, file: &str, options: &str) {
        self.shell(&format!(
            "printf '[ca]\ndefault_ca=d\n[d]\ndatabase=index\ndefault_md=sha256\n\
                 default_crl_days=30\ncrl_extensions=e\n[e]\n\
                 authorityKeyIdentifier=keyid\n' >crl.conf
             openssl ca -gencrl -config crl.conf -keyfile ca.key -cert ca.pem {options} -out {file}"
        ));
    }

    /// Starts the responder: it takes what is in the index now.
    pub(crate) fn respond(&self) -> Responder {
        self.respond_with(&[])
    }

    /// The same, with these options.
    pub(crate) fn respond_with(&self, options: &[&str]) -> Responder {
        let mut child = Command::new("openssl")
            .args(["ocsp", "-index", "index", "-CA", "ca.pem", "-rsigner", "ca.pem"])
            .args(["-rkey", "ca.key", "-ndays", "2", "-port", &self.responder_port.to_string()])
            .args(options)
            .current_dir(&self.folder)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It says that it waits; a connection without a request it would not survive.
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(log.any(|line| line.unwrap().contains("waiting for OCSP client")));
        thread::spawn(move || log.count());
        Responder(child)
    }

    fn shell(&self, script: &str) {
        let mut command = Command::new("bash");
        command.args(["-ec", script]).current_dir(&self.folder);
        let output = output_of(&mut command, b"");
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        if !thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// A responder that runs; it ends when this goes.
pub(crate) struct Responder(Child);

impl Responder {
    /// Stops it as it is, with its socket open.
    pub(crate) fn hang(&self) {
        self.signal(Signal::STOP);
    }

    pub(crate) fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw).unwrap();
        kill_process(pid, signal).unwrap();
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
