//! A double of its own, for scripts in other languages: listens on the port given (or a free one), prints its address, runs until its input ends.
#![expect(clippy::print_stdout, reason = "it tells its caller the address")]

use std::{
    error::Error,
    io::{self, Read},
};

use tidegate_clock::DomainClock;
use tidegate_double::{Category, Delays, Double, DoubleConfig, Number, Parameters, Template};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).map_or(Ok(0), |text| text.parse())?;
    let mut config = DoubleConfig::new(DomainClock::system());
    config.listen.set_port(port);
    config.delays = Delays { sent_ms: 10, delivered_ms: Some(20), read_ms: Some(30) };
    config.numbers = vec![Number {
        phone_number_id: "106540352242922".to_owned(),
        waba_id: "102290129340398".to_owned(),
        display_phone_number: "15550783881".to_owned(),
        access_token: "EAAstandalone".to_owned(),
        app_secret: "standalone-secret".to_owned(),
        webhook_url: std::env::args().nth(2),
    }];
    config.templates = vec![
        Template {
            name: "order_sent".to_owned(),
            language: "en_US".to_owned(),
            parameters: Parameters::Positional(2),
            category: Category::Utility,
            body: "Hi {{1}}, order {{2}} is on its way.".to_owned(),
        },
        Template {
            name: "welcome".to_owned(),
            language: "en_US".to_owned(),
            parameters: Parameters::Named(vec!["first_name".to_owned()]),
            category: Category::Marketing,
            body: "Welcome {{first_name}}!".to_owned(),
        },
    ];
    let double = Double::start(config).await?;
    println!("{}", double.url());
    let end = || io::stdin().read_to_end(&mut Vec::new());
    tokio::task::spawn_blocking(end).await??;
    double.stop().await;
    Ok(())
}
