//! Figures of a gateway, as a scraper reads them.

use super::Gateway;

/// One reading of `/metrics`.
#[derive(Debug, Clone)]
pub struct Figures(String);

impl Gateway {
    /// Reads its figures through the control socket.
    ///
    /// # Panics
    /// When the gateway does not answer.
    pub async fn figures(&self) -> Figures {
        Figures(self.control.text("/metrics").await.expect("the control socket answers"))
    }
}

impl Figures {
    /// From the text of `/metrics`.
    pub fn read(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The value of a series, named as it is shown: `tidegate_timers`, `tidegate_ready_rows{queue="pure"}`.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn value(&self, series: &str) -> f64 {
        let line = self.0.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        let value = line.unwrap_or_else(|| panic!("there is no {series} in\n{}", self.0));
        value.parse().unwrap_or_else(|error| panic!("{series} {value}: {error}"))
    }
}
