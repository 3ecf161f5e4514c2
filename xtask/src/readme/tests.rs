//! Which lines of a README are commands.

use super::{Step, TEST_COMMAND, readme, steps};

fn check(block: &str, expected: &[(usize, &str, bool)]) {
    let text = format!("```sh\n{TEST_COMMAND}\n```\n{block}");
    let test = Step { line: 2, command: TEST_COMMAND.to_owned(), background: false };
    let mut all = vec![test];
    all.extend(expected.iter().map(|(line, command, background)| Step {
        line: *line,
        command: (*command).to_owned(),
        background: *background,
    }));
    assert_eq!(readme(&text).unwrap(), all);
}

fn refuse(block: &str, message: &str) {
    let text = format!("```sh\n{TEST_COMMAND}\n```\n{block}");
    assert_eq!(readme(&text).unwrap_err().to_string(), message);
}

#[test]
fn each_line_of_a_block_is_a_command() {
    check("```sh\n# first\none a b\n\n  two\n```\n", &[(6, "one a b", false), (8, "two", false)]);
}

#[test]
fn with_prompts_the_other_lines_are_output() {
    check("```sh\n$ one\nsaid so\n$ two\n```\n", &[(5, "one", false), (7, "two", false)]);
}

#[test]
fn a_backslash_joins_lines() {
    check("```sh\none \\\n  --more \\\n  --most\ntwo\n```\n", &[(5, "one --more --most", false), (8, "two", false)]);
    check("```sh\n$ one \\\n  --more\nout\n```\n", &[(5, "one --more", false)]);
}

#[test]
fn an_ampersand_at_the_end_runs_a_command_in_the_background() {
    check("```sh\nserve &\na && b\n```\n", &[(5, "serve", true), (6, "a && b", false)]);
}

#[test]
fn other_blocks_and_skipped_ones_are_passed_over() {
    check("```toml\nkey = 1\n```\n```\nplain\n```\n```sh ci=skip\n# needs an account\ncall\n```\n", &[]);
}

#[test]
fn what_ci_would_miss_is_refused() {
    refuse("```bash\none\n```\n", "README.md:4: write ```sh instead of ```bash, so that CI runs the commands");
    refuse("```sh ci=skip\none\n```\n", "README.md:4: a block that CI skips begins with a comment that says why");
    refuse("```sh ci=no\none\n```\n", "README.md:4: write ```sh or ```sh ci=skip");
    let here = "README.md:5: CI cannot type a here-document: put the text in a file under examples/";
    refuse("```sh\ncat > a <<E\nE\n```\n", here);
    let open = "README.md:5: the command ends in `&&`: write the next one on the same line";
    refuse("```sh\none &&\ntwo\n```\n", open);
}

#[test]
fn a_readme_without_the_test_command_is_refused() {
    let expected = "README.md: no block fenced as ```sh has the line `cargo test --release --workspace`, so that CI would run no test";
    for text in ["", "```sh\ncargo test\n```\n", "```sh\ncargo test --release --workspace &\n```\n"] {
        assert_eq!(readme(text).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_mistake_names_the_text_it_is_in() {
    let error = steps("guide.md", "```bash\none\n```\n").unwrap_err().to_string();
    assert!(error.starts_with("guide.md:1: "), "{error}");
}

#[test]
fn the_guide_can_be_followed() {
    let text = crate::workspace::read(crate::ci::GUIDE).unwrap();
    let found = steps(crate::ci::GUIDE, &text).unwrap();
    for part in ["new", "test", "check", "pack", "inspect", "bench", "dev"] {
        let command = format!("tidegate plugin {part} ");
        assert!(found.iter().any(|step| step.command.starts_with(&command)), "the guide does not run `{command}`");
    }
}
