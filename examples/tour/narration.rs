//! The text of the tour, and the count of its differences.

use std::cell::Cell;
use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;

use examples::cases::count::counted;

/// It tells each step, and checks it.
#[derive(Debug, Default)]
pub(crate) struct Narration {
    scenes: u32,
    checks: u32,
    differences: u32,
    /// The error of the output, if it has one.
    unwritten: Cell<Option<io::ErrorKind>>,
}

impl Narration {
    /// Begins a scene.
    pub(crate) fn scene(&mut self, title: &str) {
        self.scenes += 1;
        self.write(format_args!("\n{}. {title}", self.scenes));
    }

    /// Tells a step.
    pub(crate) fn tell(&self, step: impl Display) {
        self.write(format_args!("   {step}"));
    }

    /// Compares the result of a step with the announced one.
    pub(crate) fn check<F, E>(&mut self, subject: &str, found: &F, expected: &E)
    where
        F: Display + PartialEq<E>,
        E: Display,
    {
        self.checks += 1;
        if found == expected {
            self.write(format_args!("   ok      {subject}: {expected}"));
        } else {
            self.differences += 1;
            self.write(format_args!("   DIFFERS {subject}: {found}, expected {expected}"));
        }
    }

    /// Checks that a text has a part.
    pub(crate) fn check_part(&mut self, subject: &str, text: &str, part: &str) {
        self.checks += 1;
        if text.contains(part) {
            self.write(format_args!("   ok      {subject}: {part}"));
        } else {
            self.differences += 1;
            self.write(format_args!("   DIFFERS {subject}: {part} expected in: {text}"));
        }
    }

    /// Tells the number of checks; returns the exit status.
    pub(crate) fn conclude(&self) -> ExitCode {
        let Self { scenes, checks, differences, .. } = self;
        self.write(format_args!(
            "\n{}, {}, {}",
            counted(*scenes, "scene"),
            counted(*checks, "check"),
            counted(*differences, "difference")
        ));
        // A reader that has closed the pipe has seen enough.
        let unwritten = self.unwritten.get().filter(|kind| *kind != io::ErrorKind::BrokenPipe);
        if let Some(kind) = unwritten {
            eprintln!("tour: {kind}");
        }
        let is_sound = self.differences == 0 && unwritten.is_none();
        if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// Writes a line. After an error the tour goes on, to end what it has started.
    fn write(&self, line: impl Display) {
        if let Err(error) = writeln!(io::stdout(), "{line}") {
            self.unwritten.set(Some(error.kind()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::ExitCode;

    use super::Narration;

    #[test]
    fn one_difference_fails() {
        let mut narration = Narration::default();
        narration.check("equal", &1, &1);
        narration.check_part("a part", "abc", "b");
        assert_eq!(narration.conclude(), ExitCode::SUCCESS);
        for differ in [
            |narration: &mut Narration| narration.check("unequal", &1, &2),
            |narration: &mut Narration| narration.check_part("no part", "abc", "d"),
        ] {
            let mut narration = Narration::default();
            differ(&mut narration);
            assert_eq!((narration.checks, narration.differences), (1, 1));
            assert_eq!(narration.conclude(), ExitCode::FAILURE);
        }
    }
}
