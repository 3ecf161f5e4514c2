//! Keywords that people send: STOP and its kin, START, HELP. A keyword counts only as the whole message, because some are ordinary words.

use serde::{Deserialize, Serialize};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// What a keyword asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keyword {
    /// No more messages on this channel.
    OptOut,
    /// Messages again.
    OptIn,
    /// Who is this, and how do I stop it.
    Help,
}

/// Opt-out words that are always obeyed. English: the words US carriers and the FCC name (47 CFR 64.1200(a)(10)), with Twilio's additions of 2025;
/// others: the customary word of the language.
const OPT_OUT: &[&str] = &[
    "stop",
    "stopall",
    "stop all",
    "unsubscribe",
    "cancel",
    "end",
    "quit",
    "revoke",
    "optout",
    "opt out",
    "opt-out",
    "remove", // en
    "baja",
    "alto",
    "parar",
    "cancelar",
    "darme de baja",
    "no mas", // es
    "cancella",
    "cancellami",
    "ferma",
    "basta",
    "disiscrivi",
    "disiscrivimi",
    "annulla", // it
    "sair",
    "pare", // pt
    "arret",
    "desabonner",
    "desinscrire", // fr
    "stopp",
    "abmelden",
    "abbestellen", // de
    "afmelden",    // nl
];

/// Words that restore what an opt-out word took. `YES` and `SI` are not among them: they count only where they are asked for.
const OPT_IN: &[&str] = &[
    "start",
    "unstop",
    "subscribe",
    "resume",
    "alta",
    "iniciar",
    "riprendi",
    "iscrivimi",
    "reprendre",
    "anmelden",
    "aanmelden",
];

/// Words that ask for help.
const HELP: &[&str] = &["help", "info", "ayuda", "aiuto", "ajuda", "aide", "hilfe"];

/// The words of one workspace: the built-in ones and its own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keywords {
    /// Further opt-out words.
    pub opt_out: Vec<String>,
    /// Further opt-in words.
    pub opt_in: Vec<String>,
}

impl Keywords {
    /// What a whole inbound text asks for, if it is a keyword.
    pub fn find(&self, text: &str) -> Option<Keyword> {
        let text = normalize(text);
        let own = |words: &[String]| words.iter().any(|word| normalize(word) == text);
        let known = |words: &[&str]| words.iter().any(|word| normalize(word) == text);
        if text.is_empty() {
            None
        } else if known(OPT_OUT) || own(&self.opt_out) {
            Some(Keyword::OptOut)
        } else if known(OPT_IN) || own(&self.opt_in) {
            Some(Keyword::OptIn)
        } else if known(HELP) {
            Some(Keyword::Help)
        } else {
            None
        }
    }
}

/// Longest keyword in characters: a longer text is never looked at closely.
const MAX_KEYWORD_CHARS: usize = 64;

/// Lower case, compatibility forms folded, no accents, no punctuation, single spaces. Empty when too long to be a keyword.
fn normalize(text: &str) -> String {
    if text.chars().nth(MAX_KEYWORD_CHARS).is_some() {
        return String::new();
    }
    let folded: String = text
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<Keyword>) {
        let keywords = Keywords { opt_out: vec!["Lopeta".to_owned()], opt_in: vec![] };
        assert_eq!(keywords.find(text), expected, "{text:?}");
    }

    #[test]
    fn a_whole_message_that_is_a_keyword_counts() {
        for text in [
            "STOP",
            " stop. ",
            "Stop!",
            "ＳＴＯＰ",
            "ARRÊT",
            "Opt-out",
            "OPT OUT",
            "baja",
            "NO MÁS",
            "lopeta",
            "*stop*",
        ] {
            check(text, Some(Keyword::OptOut));
        }
        check("Start", Some(Keyword::OptIn));
        check("hilfe", Some(Keyword::Help));
    }

    #[test]
    fn a_keyword_inside_a_sentence_does_not() {
        for text in
            ["", "...", "please stop by tomorrow", "bus stop", "Stop the pre-order of the red one", "yes", "si", "🛑"]
        {
            check(text, None);
        }
        check(&"stop ".repeat(40), None);
    }
}
