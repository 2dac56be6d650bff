//! The tools: their output, exit status and errors.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests may panic"
)]

mod arguments;
mod browser;
mod cases;
mod dmarc_check;
mod dmarc_inputs;
mod dmarc_limits;
mod dmarc_make;
mod dmarc_merged;
mod dmarc_page;
mod dmarc_report;
mod documented;
mod documented_commands;
mod expand;
#[path = "../load/program.rs"]
mod gateway_program;
mod inspect;
mod inspect_odd;
mod inspect_page;
#[expect(dead_code, reason = "the program tells its steps; its tests are run here")]
#[path = "../../tour/narration.rs"]
mod narration;
mod ocsp;
mod program;
mod proxy_header;
mod replay;
mod reviews;
mod spf_check;
mod terminals;
mod tour;
mod unread;
