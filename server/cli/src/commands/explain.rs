//! `cellwright explain`: the manual of one diagnostic.

use std::fmt::Write;

use anyhow::{Result, bail};
use cellwright_checks::{Severity, rules};
use cellwright_features::force_check;

use crate::output::{self, Outcome};
use crate::report::severity_name;
use crate::wrap::{width, wrap};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Code as a diagnostic shows it, for example `short-distance`; without it, all codes are listed.
    code: Option<String>,
}

/// One diagnostic of the manual.
struct Page {
    code: &'static str,
    severity: Severity,
    summary: &'static str,
    docs: &'static str,
}

/// The checks, and the diagnostic that needs a model.
fn pages() -> Vec<Page> {
    let checks = rules().iter().map(|rule| Page {
        code: rule.code,
        severity: rule.severity,
        summary: rule.summary,
        docs: rule.docs,
    });
    let force = Page {
        code: force_check::CODE,
        severity: force_check::SEVERITY,
        summary: force_check::SUMMARY,
        docs: force_check::DOCS,
    };
    checks.chain([force]).collect()
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let pages = pages();
    let Some(code) = &args.code else {
        let width = pages.iter().map(|page| page.code.len()).max().unwrap_or(0);
        let list = pages.iter().fold(String::new(), |mut list, page| {
            let _ = writeln!(list, "{:width$}  {}", page.code, page.summary);
            list
        });
        output::print(&list)?;
        return Ok(Outcome::Clean);
    };
    let Some(page) = pages.iter().find(|page| page.code == code) else {
        bail!("no diagnostic has the code '{code}': `cellwright explain` lists them");
    };
    let severity = severity_name(page.severity);
    let text = format!("{} ({severity})\n\n{}\n\n{}", page.code, page.summary, page.docs.trim());
    output::print(&wrap(&text, width()))?;
    Ok(Outcome::Clean)
}
