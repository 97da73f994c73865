"""What people type to Claude, in English and German: what decides or corrects something, and what does not."""

from __future__ import annotations

DECIDING = """\
Let's go with Postgres then.
We're going with option B.
I've decided to drop Python 3.9.
I decided against Kafka, too heavy.
Decision: we keep the monolith.
Let's do it with a cron job instead of Celery.
Please use UUIDv7 for all new tables.
Use tabs everywhere.
Use the existing helper, don't write a new one.
Don't use any here, use unknown
do not touch the migrations folder
Make it a separate service instead
Keep the old endpoint for now.
Leave the tests alone, they're right.
Actually, use a set there, not a list
No — we agreed that the API stays v1.
That's not how we do it here, services never import views.
Remove the retry logic, we don't want it anymore.
We don't want retries at all.
We won't support Windows.
We only support Linux.
Only touch files under src/.
You should never push without asking me.
You must not edit generated files.
Please never force push.
Please always run make lint before committing.
I don't want you to commit.
I want it without a framework.
I'd prefer a plain function here.
I'd like to keep it synchronous, not async.
It has to work offline.
It should be configurable, not hardcoded.
Timestamps should always be UTC.
Amounts have to be stored in cents.
Forget about caching, we'll do that later.
Skip the e2e tests for now.
Undo that, please.
Nope, wrong file, put it in utils.
Wrong: the tax is included already.
Not like that, use a context manager.
I said no new dependencies.
As I said, no mocks.
No new dependencies please.
No mocks, please.
Yes, go with the first one.
Option 2 please
Let's call it ledger, not book.
From now on use British spelling.
In future, ask before you delete anything.
Wir machen das mit Celery.
Wir bleiben bei MySQL.
Nimm bitte die zweite Variante.
Bitte verwende nur Standardbibliothek.
Mach das nicht im Controller, das gehört in den Service.
Ich will keine Mocks in den Tests.
Nein, so war das nicht gemeint, nur die Rechnungen.
Das soll nicht konfigurierbar sein.
Keine neuen Abhängigkeiten bitte.
Lass die alte Schnittstelle erstmal drin.
Wir haben uns auf UUIDs geeinigt.
Beträge immer in Cent speichern.
Die Tests darfst du nicht ändern.
Commits bitte immer auf Englisch.
Verwende stattdessen den neuen Client.
Ich habe mich für Variante A entschieden.
Wir wollen keine Retries mehr.
Nie wieder ohne Test mergen!
Doch nicht Redis, nimm den Speicher.
Wir unterstützen kein Windows.
Please don't add a changelog entry.
Let's move that into a migration.
We decided on Tuesday to freeze the schema.
Use pathlib for everything new.
I don't want to see print statements.
No, leave that as it is.
Nope. Only the admin may see it.
You must never write to the user's repo.
Every error must name the next step.
Config must be JSON.
Let's postpone the export.
I'd rather not introduce a queue.
Just use a dict.
Actually no, keep the class.
And don't forget: never commit secrets.
Please only change the tests.
Go with the simple version.
The API should never return HTML.
We won't do pagination in this release.
We always squash.
Stick with black.
avoid using globals
No mocks in integration tests, please.
That's not how it works: refunds are negative.
I prefer explicit over clever.
Always ask before deleting files.
let's drop support for 3.9
Timeouts should be 30 s, not 60.
Going forward, tests first.
Stop committing without asking.
Bitte nur die README ändern.
Wir verwenden keine ORMs hier.
Nimm lieber eine Liste.
Benutze den vorhandenen Client.
Nein, das gehört nicht hierher.
Nein! Erst die Tests.
Jede Funktion muss einen Docstring haben.
Der Preis darf nicht negativ sein.
Künftig bitte kleine Commits.
Ab sofort nur noch mit Typen.
Lass das so.
Schreib die Kommentare immer auf Englisch.
Ich will das nicht im Frontend haben.
Wir haben beschlossen, dass v1 bleibt.
Mach es ohne neue Tabelle, nicht mit.
Das ist falsch, die Steuer kommt zuletzt.
Bitte keine Emojis.
Hör auf, alles umzubenennen.
Es sollen nur Admins Zugriff haben.
Lieber eine Funktion statt einer Klasse.
""".splitlines()
"""Each has a sentence that settles something for later."""

NOT_DECIDING = """\
The parser must be broken.
There must be a race somewhere.
The user must have clicked twice.
What must the client send?
This must be the reason.
We use Django 4.2, does that matter?
We use it in three places I think
How do we keep the order stable?
I always get a 404 when I open the page
It never worked for me.
Never seen that before.
I never got the mail
Don't you think the name is odd?
Don't we have a helper for that?
No idea why.
No, I haven't tried that yet.
No, nothing changed.
No, it's the same error.
No error this time.
No rush!
no, that works now
No. It's still broken.
No, the page is still empty
Show me the diff
Let's go!
Let's have a look at the failing test.
Let's use this time to look at the logs
Let's keep going
let's make sure it works
Let's leave it at that for today, thanks
Take the time you need.
Take this stack trace: it says None
Stop the server.
Stop and show me what you have.
Can we use the cache rather than the DB?
Maybe we could use Redis instead?
I wonder if we should always retry
I think we never call this function
The log says 'must not be null'.
It prints None instead of the total.
It returns 3 rather than 4.
The button is not shown, the menu is.
Why don't we use ruff?
Do you always run the tests?
I don't want to bother you, but the test fails again
I don't like this error
I don't have access
We don't have tests for that
We never had that problem on staging
If it's easier, use a list instead.
In production, we keep getting timeouts
What would you rather use?
The docs say you should never call it twice
It should only take a second.
That must hurt
That's not right?
He said that we should not deploy on Fridays
Always the same error.
Only the first test fails.
Go for it
Thanks, that's not what I expected but it's great
Das muss doch gehen.
Es darf doch nicht sein, dass das so lange dauert
Wir müssen noch schauen, warum das so ist.
Da muss irgendwo ein Fehler sein.
Der Test muss kaputt sein.
Nein, noch nicht.
Nein, geht immer noch nicht.
Nein, der Fehler ist noch da.
Nein, weiß ich nicht.
Nie gesehen, so einen Fehler.
Immer noch derselbe Fehler.
Immer wenn ich speichere, kommt ein Fehler.
Nur der erste Test schlägt fehl.
Warum nehmen wir nicht Redis?
Wir nutzen Django 4.2, ist das ein Problem?
Ich will nur wissen, warum das so ist.
Ich möchte keinen Stress machen, aber der Test schlägt fehl
Es kommt nicht 3, sondern 4 heraus.
Bitte nicht wundern, der Branch heißt anders.
Lass uns mal anfangen
Lass uns weitermachen
So nicht lesbar im Terminal.
Was muss ich tun?
Das ist nicht das Problem.
Das ist nicht richtig, oder?
Muss man das immer angeben?
Mach weiter, ich bin nicht da.
Künftig Probleme zu erwarten?
Kann man das nicht lieber anders machen?
Run the tests and tell me what fails.
Add a test for the empty list.
Where do we keep the fixtures?
The build is red again.
I pushed a fix, please pull.
Can you explain why it must be a tuple?
It works now, thanks!
Hmm, the output is empty, not what I expected from the docs
Keep going.
continue
Use the search tool to find it.
I have to leave now, finish without me.
We have to find out why.
You have to see this.
There have to be more of them.
Not sure, have a look.
Not yet.
Nothing should change for users, right?
It never happened before the update.
The cache is never invalidated, that's the bug.
My colleague said we should always retry.
it says it must be a string
No, I don't see it.
No, same error as before
No - still red
What did we decide about the queue?
Have we decided on a name?
We haven't decided yet.
I haven't decided.
Did we agree on tabs?
Don't you see the error?
The user can only see his own orders and that breaks the report.
Let's try again.
Let's see.
Let's check if the migration ran
I want to understand how this works.
I want a summary of the changes
I'd like a CSV export.
I like it.
Make the button blue.
Write a script that deletes old logs
Forget it, I found the file
It takes the first one instead of the last
The second option is slower, not faster
If that's wrong, tell me
Der Build ist wieder rot.
Was haben wir dazu beschlossen?
Haben wir uns schon entschieden?
Wir haben uns noch nicht entschieden.
Ich muss das erst verstehen.
Nein, klappt nicht.
Nein, kenne ich nicht.
Nein, immer noch rot
Ich verstehe nicht, warum das nur lokal passiert.
Das funktioniert nur auf meinem Rechner.
Es läuft nie durch.
Warum ist das immer leer?
Kannst du bitte nur die Tests laufen lassen?
Der Server antwortet nicht mehr.
Mach mal.
""".splitlines()
"""Questions, reports, thanks, errands: nothing of them holds for later."""
