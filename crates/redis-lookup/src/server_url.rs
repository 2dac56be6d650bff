//! A server as a URL: `redis://…`.

use std::path::PathBuf;

use crate::Secret;
use crate::server::{Address, SentinelGroup, Server, ServerKind, Tls};
use crate::servers::{PORT, ServerProblem, Servers, Wrong, address, is_path, number};

/// Reads `scheme://authority/path?parameters`; the scheme ends at byte `scheme`.
pub(crate) fn server(item: &str, scheme: usize) -> Result<Server, Wrong> {
    let (tls, form) = match item.get(..scheme).unwrap_or_default() {
        "redis" => (false, Form::Single),
        "rediss" => (true, Form::Single),
        "redis+cluster" => (false, Form::Cluster),
        "rediss+cluster" => (true, Form::Cluster),
        "redis+sentinel" => (false, Form::Sentinel),
        "rediss+sentinel" => (true, Form::Sentinel),
        _ => return Err((0, ServerProblem::Scheme)),
    };
    let whole = Piece { text: item, at: 0 };
    let rest = whole.from(scheme + 3);
    let (rest, parameters) = rest.cut('?');
    let (authority, path) = rest.cut('/');
    // The last `@`: an earlier one is reported as a character that must be encoded.
    let (login, hosts) = match authority.text.rfind('@') {
        Some(at) => (Some(authority.to(at)), authority.from(at + 1)),
        None => (None, authority),
    };
    let (user, password) = login.map_or(Ok((None, None)), Piece::login)?;
    let parameters = Parameters::read(parameters, tls, form)?;
    let (kind, database) = kind(form, hosts, path, &parameters)?;
    if let (true, ServerKind::Single(Address::Unix(_))) = (tls, &kind) {
        return Err((hosts.at, ServerProblem::Socket));
    }
    Ok(Server {
        kind,
        user,
        password,
        database,
        tls: tls.then_some(Tls { ca_file: parameters.ca_file }),
        resp3: parameters.resp3,
        name: hosts.text.to_owned(),
    })
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Form {
    Single,
    Cluster,
    Sentinel,
}

fn kind(
    form: Form,
    hosts: Piece<'_>,
    path: Option<Piece<'_>>,
    parameters: &Parameters,
) -> Result<(ServerKind, u32), Wrong> {
    match form {
        Form::Single => {
            if let Some(comma) = hosts.text.find(',') {
                return Err((hosts.at + comma, ServerProblem::Hosts));
            }
            let address = if hosts.text.starts_with("%2F") || hosts.text.starts_with("%2f") {
                let path = Some(hosts.decoded()?).filter(|path| is_path(path));
                Address::Unix(PathBuf::from(path.ok_or((hosts.at, ServerProblem::Socket))?))
            } else {
                address(hosts.text, hosts.at, PORT)?
            };
            Ok((ServerKind::Single(address), database(path)?))
        }
        Form::Cluster => match (addresses(hosts, PORT)?, database(path)?) {
            (addresses, 0) => Ok((ServerKind::Cluster(addresses), 0)),
            _ => Err((path.map_or(0, |path| path.at), ServerProblem::ClusterDatabase)),
        },
        Form::Sentinel => {
            let end = hosts.at + hosts.text.len();
            let (master, rest) = path.ok_or((end, ServerProblem::NoMaster))?.cut('/');
            if master.text.is_empty() {
                return Err((master.at, ServerProblem::NoMaster));
            }
            let name = Some(master.decoded()?).filter(|name| !name.contains(char::is_control));
            let group = SentinelGroup {
                master: name.ok_or((master.at, ServerProblem::Master))?,
                sentinels: addresses(hosts, SENTINEL_PORT)?,
                user: parameters.sentinel_user.clone(),
                password: parameters.sentinel_password.clone(),
            };
            Ok((ServerKind::Sentinel(group), database(rest)?))
        }
    }
}

fn addresses(hosts: Piece<'_>, port: u16) -> Result<Vec<Address>, Wrong> {
    let (mut addresses, mut rest) = (Vec::new(), Some(hosts));
    while let Some(piece) = rest {
        let (host, behind) = piece.cut(',');
        if addresses.len() == Servers::MAX {
            return Err((host.at, ServerProblem::TooMany));
        }
        addresses.push(address(host.text, host.at, port)?);
        rest = behind;
    }
    Ok(addresses)
}

fn database(path: Option<Piece<'_>>) -> Result<u32, Wrong> {
    let Some(path) = path else { return Ok(0) };
    if let Some(slash) = path.text.find('/') {
        return Err((path.at + slash, ServerProblem::Path));
    }
    number(path.text).ok_or((path.at, ServerProblem::Database))
}

/// The parameters after the `?`.
#[derive(Debug, Default)]
struct Parameters {
    ca_file: Option<PathBuf>,
    resp3: bool,
    sentinel_user: Option<String>,
    sentinel_password: Option<Secret>,
}

impl Parameters {
    fn read(text: Option<Piece<'_>>, tls: bool, form: Form) -> Result<Self, Wrong> {
        let (mut parameters, mut rest) = (Self::default(), text);
        while let Some(piece) = rest {
            let (parameter, behind) = piece.cut('&');
            let (name, value) = parameter.cut('=');
            let value = value.ok_or((parameter.at, ServerProblem::Parameter))?;
            let wrong = (value.at, ServerProblem::Value);
            match (name.text, value.decoded()?) {
                ("ca", path) if tls && is_path(&path) => {
                    parameters.ca_file = Some(path.into());
                }
                ("ca", _) if tls => return Err(wrong),
                ("protocol", version) => match version.as_str() {
                    "2" => parameters.resp3 = false,
                    "3" => parameters.resp3 = true,
                    _ => return Err(wrong),
                },
                ("sentinel_user", user) if form == Form::Sentinel => {
                    parameters.sentinel_user = Some(user);
                }
                ("sentinel_password", password) if form == Form::Sentinel => {
                    parameters.sentinel_password = Some(Secret::new(password));
                }
                _ => return Err((name.at, ServerProblem::Parameter)),
            }
            rest = behind;
        }
        match (&parameters.sentinel_user, &parameters.sentinel_password, text) {
            (Some(_), None, Some(text)) => Err((text.at, ServerProblem::UserAlone)),
            _ => Ok(parameters),
        }
    }
}

/// A part of an item, and its position.
#[derive(Clone, Copy, Debug)]
struct Piece<'a> {
    text: &'a str,
    at: usize,
}

impl Piece<'_> {
    fn from(self, at: usize) -> Self {
        Self { text: self.text.get(at..).unwrap_or_default(), at: self.at + at }
    }

    fn to(self, at: usize) -> Self {
        Self { text: self.text.get(..at).unwrap_or_default(), at: self.at }
    }

    /// Splits at the first occurrence of an ASCII character.
    fn cut(self, at: char) -> (Self, Option<Self>) {
        match self.text.find(at) {
            Some(at) => (self.to(at), Some(self.from(at + 1))),
            None => (self, None),
        }
    }

    fn login(self) -> Result<(Option<String>, Option<Secret>), Wrong> {
        let (user, password) = self.cut(':');
        let user_text = Some(user.decoded()?).filter(|user| !user.is_empty());
        let password = password.map(Self::decoded).transpose()?.filter(|text| !text.is_empty());
        match (user_text, password) {
            (Some(_), None) => Err((user.at, ServerProblem::UserAlone)),
            (user, password) => Ok((user, password.map(Secret::new))),
        }
    }

    /// Decodes the percent-encoding.
    fn decoded(self) -> Result<String, Wrong> {
        let percent = |at| (self.at + at, ServerProblem::Percent);
        let mut octets = Vec::with_capacity(self.text.len());
        let mut bytes = self.text.bytes().enumerate();
        while let Some((at, byte)) = bytes.next() {
            octets.push(match byte {
                b'%' => {
                    let mut digit = || char::from(bytes.next()?.1).to_digit(16);
                    let (high, low) = digit().zip(digit()).ok_or(percent(at))?;
                    u8::try_from(high * 16 + low).map_err(|_| percent(at))?
                }
                b'@' | b'#' | b'?' | b' ' => return Err((self.at + at, ServerProblem::Character)),
                byte if byte.is_ascii_control() => {
                    return Err((self.at + at, ServerProblem::Character));
                }
                byte => byte,
            });
        }
        String::from_utf8(octets)
            .map_err(|error| percent(error.utf8_error().valid_up_to().min(self.text.len())))
    }
}

/// The default port of sentinels.
const SENTINEL_PORT: u16 = 26379;
