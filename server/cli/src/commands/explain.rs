//! `cellwright explain`: the manual of one diagnostic.

use std::fmt::Write;

use anyhow::{Result, bail};
use cellwright_checks::{Severity, rules};

use crate::output::{self, Outcome};
use crate::report::severity_name;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Code as a diagnostic shows it, for example `short-distance`; without it, all codes are listed.
    code: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let Some(code) = &args.code else {
        let width = rules().iter().map(|r| r.code.len()).max().unwrap_or(0);
        let list = rules().iter().fold(String::new(), |mut list, rule| {
            let _ = writeln!(list, "{:width$}  {}", rule.code, rule.summary);
            list
        });
        output::print(&list)?;
        return Ok(Outcome::Clean);
    };
    let Some(rule) = rules().iter().find(|r| r.code == code) else {
        bail!("no diagnostic has the code '{code}': `cellwright explain` lists them");
    };
    let severity: Severity = rule.severity;
    output::print(&format!(
        "{} ({})\n{}\n\n{}\n",
        rule.code,
        severity_name(severity),
        rule.summary,
        rule.docs.trim()
    ))?;
    Ok(Outcome::Clean)
}
