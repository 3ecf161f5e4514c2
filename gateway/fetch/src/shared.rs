//! The same read is made once for those who ask at the same time, or a moment later. An answer is shared only with who asked before the request was begun: nobody is
//! given what is older than the webhook that made it ask.

use crate::reach::Fetched;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tidegate_model::outcome::{Answer, Request};
use tokio::{sync::OnceCell, time::Instant};

/// How long an answer is kept for others.
const KEPT: Duration = Duration::from_secs(5);
/// Answers that are kept.
const MOST: usize = 64;
/// Largest answer that is kept, in bytes.
const LARGEST: usize = 64 << 10;

/// Reads of one connection.
#[derive(Debug, Default)]
pub(crate) struct Shared(Mutex<Vec<Read>>);

#[derive(Debug)]
struct Read {
    request: Request,
    /// A number of the caller's that grows: drawn before the request was begun.
    begun: u64,
    at: Instant,
    answer: Arc<OnceCell<Fetched>>,
}

impl Shared {
    /// The answer of a read that was begun after `asked`, or else of this one, which others may share. `number` draws a number that is larger than all before.
    pub(crate) async fn read(
        &self,
        request: &Request,
        asked: u64,
        number: &(dyn Fn() -> u64 + Sync),
        make: impl Future<Output = Fetched>,
    ) -> Fetched {
        let answer = self.join(request, asked, number);
        let fetched = answer.get_or_init(|| make).await.clone();
        if !is_kept(&fetched) {
            self.forget(&answer);
        }
        fetched
    }

    fn join(&self, request: &Request, asked: u64, number: &(dyn Fn() -> u64 + Sync)) -> Arc<OnceCell<Fetched>> {
        let mut reads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reads.retain(|read| read.at.elapsed() < KEPT || !read.answer.initialized());
        let found = reads.iter().find(|read| read.begun > asked && read.request == *request);
        if let Some(read) = found {
            return Arc::clone(&read.answer);
        }
        if reads.len() >= MOST {
            reads.remove(0);
        }
        let answer = Arc::new(OnceCell::new());
        reads.push(Read { request: request.clone(), begun: number(), at: Instant::now(), answer: Arc::clone(&answer) });
        answer
    }

    fn forget(&self, answer: &Arc<OnceCell<Fetched>>) {
        let mut reads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reads.retain(|read| !Arc::ptr_eq(&read.answer, answer));
    }
}

/// A small answer that another attempt would not change.
fn is_kept(fetched: &Fetched) -> bool {
    matches!(fetched, Fetched::Answer(Answer::Response { body, .. }) if body.len() <= LARGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn request(url: &str) -> Request {
        Request { method: "GET".to_owned(), url: url.to_owned(), headers: Vec::new(), body: None }
    }

    fn response(body: &str) -> Fetched {
        Fetched::Answer(Answer::Response { status: 200, headers: Vec::new(), body: body.to_owned() })
    }

    #[tokio::test]
    async fn an_answer_is_shared_only_with_who_asked_before_its_request() {
        let (shared, numbers) = (Shared::default(), AtomicU64::new(10));
        let number = || numbers.fetch_add(1, Ordering::Relaxed);
        let read = async |url: &str, asked: u64, body: &str| {
            let Fetched::Answer(Answer::Response { body, .. }) =
                shared.read(&request(url), asked, &number, async { response(body) }).await
            else {
                panic!("no answer")
            };
            body
        };
        // Both asked (5 and 6) before the request was begun (10).
        assert_eq!(read("a", 5, "first").await, "first");
        assert_eq!(read("a", 6, "second").await, "first");
        assert_eq!(read("b", 6, "other").await, "other");
        // Asked at 50, after all of them.
        numbers.store(51, Ordering::Relaxed);
        assert_eq!(read("a", 50, "third").await, "third");
        assert_eq!(read("a", 50, "fourth").await, "third");
        let large = "x".repeat(LARGEST + 1);
        assert_eq!(read("c", 5, &large).await.len(), large.len());
        assert_eq!(read("c", 5, "again").await, "again");
    }

    #[tokio::test]
    async fn what_may_pass_is_asked_again() {
        let shared = Shared::default();
        let later = async { Fetched::Later { after: None, reason: String::new() } };
        shared.read(&request("a"), 0, &|| 1, later).await;
        let again = shared.read(&request("a"), 0, &|| 2, async { response("now") }).await;
        assert_eq!(again, response("now"));
    }
}
