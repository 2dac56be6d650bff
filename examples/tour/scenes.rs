//! The scenes: one delivery in which everything is in order, and one for each fault.

use serde_json::Value;

use crate::Done;
use crate::mail::Message;
use crate::narration::Narration;
use crate::world::{CLIENT, World, envelope};
use examples::cases::count::counted;

/// Plays all of them.
pub(crate) async fn play(world: &World, narration: &mut Narration) -> Done {
    in_order(world, narration).await?;
    forged(world, narration).await?;
    revoked(world, narration).await?;
    wrong_records(world, narration).await?;
    cut(world, narration).await
}

/// A message of the sender.
fn message(subject: &'static str) -> Message {
    let body = "It went all the way.\r\n".to_owned();
    Message { from: "ann@sender.example", subject, body }
}

async fn in_order(world: &World, narration: &mut Narration) -> Done {
    narration.scene("One message to three recipients, everything in order");
    let recipients = ["bob@receiver.example", "later@receiver.example", "never@receiver.example"];
    let signed = world.signer.sign(&message("hello"));
    let plans = world.sender(&recipients)?.plan(&envelope(&recipients)?, signed.as_bytes()).await;
    let hosts = plans.iter().flat_map(|plan| &plan.hosts);
    let policies: Vec<_> = hosts.map(|host| host.policy.to_string()).collect();
    // The name of the domain counts, beside that of the host, only if its MX records are secure.
    narration.check(
        "the policy, by secure MX and TLSA records",
        &policies.join("; "),
        &"mx.receiver.example: dane, names mx.receiver.example receiver.example",
    );
    let outcomes = world.send(&recipients, &signed).await?;
    let results: Vec<_> = outcomes.iter().map(|outcome| text(outcome, "/result")).collect();
    narration.check(
        "accept, defer and refuse by PRDR",
        &results.join(", "),
        &"delivered, deferred, failed",
    );
    for outcome in &outcomes {
        narration.tell(format!("{}: {}", text(outcome, "/recipient"), text(outcome, "/reply")));
    }
    let first = outcomes.first().unwrap_or(&Value::Null);
    narration.check("the certificate is verified by", &text(first, "/tls/verified"), &"dane");
    narration.check(
        "the OCSP staple ($tls_out_ocsp; 4: verified)",
        &value(first, "/tls/ocsp"),
        &"4",
    );
    narration.check("PRDR", &value(first, "/prdr"), &"true");
    let messages = world.delivered(1).await?;
    narration.check("messages in the Maildirs", &messages.len(), &1);
    let stored = messages.first().map(String::as_str).unwrap_or_default();
    let client = CLIENT.split(':').next().unwrap_or_default();
    narration.check_part("the client of the PROXY header", stored, &format!("[{client}]"));
    for result in ["spf=pass", "dkim=pass", "dmarc=pass"] {
        narration.check_part("Authentication-Results", stored, result);
    }
    Ok(())
}

async fn forged(world: &World, narration: &mut Narration) -> Done {
    narration.scene("A forged author: victim.example asks to reject, and has signed nothing");
    let forged = Message { from: "boss@victim.example", ..message("money") };
    let outcome = alone(world, "bob@receiver.example", &forged.text()).await?;
    narration.check("the result", &text(&outcome, "/result"), &"failed");
    narration.check_part(
        "the reply",
        text(&outcome, "/reply"),
        "550 5.7.1 rejected by the DMARC policy of victim.example",
    );
    narration.check("messages in the Maildirs", &world.messages()?.len(), &1);
    Ok(())
}

async fn revoked(world: &World, narration: &mut Narration) -> Done {
    narration.scene("A revoked certificate: the gateway staples no bad response, and the sender wants a good one");
    let outcome =
        alone(world, "bob@revoked.example", &world.signer.sign(&message("revoked"))).await?;
    refused(world, narration, &outcome, "OCSP")
}

async fn wrong_records(world: &World, narration: &mut Narration) -> Done {
    for (title, recipient) in [
        ("A wrong TLSA record: the digest of another key", "bob@wrong.example"),
        ("A TLSA record with the digest of nothing", "bob@nothing.example"),
    ] {
        narration.scene(title);
        let signed = world.signer.sign(&message("wrong record"));
        let outcome = alone(world, recipient, &signed).await?;
        refused(world, narration, &outcome, "TLSA")?;
    }
    Ok(())
}

async fn cut(world: &World, narration: &mut Narration) -> Done {
    narration.scene("A connection that is cut within the message");
    let body = "A line of many.\r\n".repeat(20_000);
    let signed = world.signer.sign(&Message { body, ..message("long") });
    world.cut_after(100_000);
    let outcome = alone(world, "bob@receiver.example", &signed).await?;
    world.cut_after(0);
    refused(world, narration, &outcome, "closed the connection")?;
    narration.tell("again, and nothing is cut");
    let outcome = alone(world, "bob@receiver.example", &signed).await?;
    narration.check("the result", &text(&outcome, "/result"), &"delivered");
    narration.check("messages in the Maildirs", &world.delivered(2).await?.len(), &2);
    Ok(())
}

/// Checks that a message was deferred, for a cause with this word, and that nothing is stored.
fn refused(world: &World, narration: &mut Narration, outcome: &Value, cause: &str) -> Done {
    narration.check("the result", &text(outcome, "/result"), &"deferred");
    narration.tell(text(outcome, "/reason"));
    narration.check_part("the cause", text(outcome, "/reason"), cause);
    narration.check("messages in the Maildirs", &world.messages()?.len(), &1);
    Ok(())
}

/// Sends a message to one recipient.
async fn alone(world: &World, recipient: &str, message: &str) -> Done<Value> {
    let outcomes = world.send(&[recipient], message).await?;
    Ok(outcomes.into_iter().next().ok_or("a recipient without an outcome")?)
}

/// Returns a text of an outcome, by its JSON pointer.
fn text<'a>(outcome: &'a Value, pointer: &str) -> &'a str {
    outcome.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Returns a number or a word of an outcome as a text.
fn value(outcome: &Value, pointer: &str) -> String {
    outcome.pointer(pointer).map_or_else(|| "not there".to_owned(), Value::to_string)
}

/// Tells the events of the whole, which actions of both sides have written into tables of `SQLite`.
pub(crate) fn events([outgoing, incoming, revoked]: &[Vec<String>; 3], narration: &mut Narration) {
    narration.scene("The events of all that, in SQLite");
    let count =
        |events: &[String], name: &str| events.iter().filter(|event| *event == name).count();
    for (side, events, expected) in [
        (
            "sender",
            outgoing,
            &[
                ("msg:delivery", 2),
                ("msg:fail:delivery", 2),
                ("msg:rcpt:defer", 1),
                ("dane:fail", 3),
            ][..],
        ),
        ("gateway", incoming, &[("msg:delivery", 2), ("msg:complete", 2)]),
        ("gateway with the revoked certificate", revoked, &[("msg:complete", 0)]),
    ] {
        let mut names = events.clone();
        names.dedup();
        let told = counted(events.len(), "event");
        narration.tell(format!("{side}: {told}: {}", names.join(", ")));
        for (name, expected) in expected {
            narration.check(&format!("{name} of the {side}"), &count(events, name), expected);
        }
    }
}
