//! Money: decimal strings (numbers in live refunds), in the shop's currency and in the one that the customer saw.

use serde::Deserialize;
use tidegate_plugin_sdk::{Error, Money, json::Decimal, json::Raw, json::Text};

/// One amount in two currencies.
#[derive(Deserialize)]
pub(crate) struct MoneySet<'a> {
    #[serde(borrow)]
    pub(crate) shop_money: Option<Amount<'a>>,
    #[serde(borrow)]
    pub(crate) presentment_money: Option<Amount<'a>>,
}

/// An amount with its currency; transactions write `currency` where everything else writes `currency_code`.
#[derive(Deserialize)]
pub(crate) struct Amount<'a> {
    #[serde(borrow)]
    pub(crate) amount: Option<Decimal<'a>>,
    #[serde(borrow, alias = "currency")]
    pub(crate) currency_code: Option<Text<'a>>,
}

impl Amount<'_> {
    pub(crate) fn money(&self) -> Option<Money> {
        Money::of(self.amount.as_ref().map(Decimal::as_str), self.currency_code.as_deref())
    }
}

impl MoneySet<'_> {
    /// What the customer saw, else the shop's.
    pub(crate) fn customers(&self) -> Option<Money> {
        let seen = self.presentment_money.as_ref().and_then(Amount::money);
        seen.or_else(|| self.shop_money.as_ref().and_then(Amount::money))
    }
}

/// The currencies of an order. Its plain amounts are in the shop's; messages must name what the customer saw and pays.
#[derive(Clone, Copy)]
pub(crate) struct Currencies<'t> {
    shop: Option<&'t str>,
    seen_is_other: bool,
}

impl<'t> Currencies<'t> {
    pub(crate) fn new(shop: Option<&'t Text<'_>>, seen: Option<&'t Text<'_>>) -> Self {
        let (shop, seen) = (shop.map(|text| text.as_str()), seen.map(|text| text.as_str()));
        Self { shop: shop.or(seen), seen_is_other: matches!((shop, seen), (Some(shop), Some(seen)) if shop != seen) }
    }

    /// Whether the customer saw another currency than the shop's.
    pub(crate) fn differ(self) -> bool {
        self.seen_is_other
    }

    /// The shop's amount.
    pub(crate) fn shops(self, plain: Option<&Decimal<'_>>) -> Option<Money> {
        Money::of(plain.map(Decimal::as_str), self.shop)
    }

    /// The customer's amount. `set` is read only if the currencies differ.
    pub(crate) fn customers(
        self,
        plain: Option<&Decimal<'_>>,
        set: Option<Raw<'_>>,
        set_pointer: &str,
    ) -> Result<Option<Money>, Error> {
        if let (true, Some(set)) = (self.seen_is_other, set) {
            let set: MoneySet<'_> = set.parse().map_err(|error| error.under(set_pointer))?;
            if let Some(money) = set.customers() {
                return Ok(Some(money));
            }
        }
        Ok(self.shops(plain))
    }
}
