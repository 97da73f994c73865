"""What looks like a secret and is none: written by hand where people write it, made by a seed where machines do."""

from __future__ import annotations

import base64
import random
import re
import string
from collections.abc import Iterator

PARTS = re.compile(r"[^0-9A-Za-z+/=]+")
"""Splits a PEM block into its lines, however they are joined."""

HEX = "0123456789abcdef"
WORD = string.ascii_letters + string.digits

PLACEHOLDERS = """
API_KEY=<your-api-key>
API_KEY=your_api_key_here
export OPENAI_API_KEY="sk-..."
export OPENAI_API_KEY=sk-your-key-here
OPENAI_API_KEY=sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
GITHUB_TOKEN=ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
GITHUB_TOKEN=${GITHUB_TOKEN}
password: ${DB_PASSWORD}
password: $DB_PASSWORD
password: "{{ .Values.db.password }}"
password: {{ vault_db_password }}
token: ${{ secrets.GITHUB_TOKEN }}
password=changeme
DB_PASSWORD=change-me-please
PASSWORD=********
secret: "****"
api_key: REPLACE_ME
token: null
password: None
secret: none
password: true
"password": ""
password = ''
AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE
AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
postgres://user:password@localhost/db
postgres://user:${PGPASS}@localhost/db
postgres://user:<password>@host/db
https://user:pass@example.org/
mysql://root:root@localhost/test
redis://:password@localhost:6379
curl -u user:password https://example.org
curl -u "$USER:$TOKEN" https://example.org
Authorization: Bearer <token>
Authorization: Bearer $TOKEN
Authorization: Bearer YOUR_TOKEN_HERE
Authorization: Basic <base64>
token: "[redacted: github-token]"
password=[redacted: password]
SECRET_KEY = "insert-secret-here"
api_key = "TODO"
password: xxx
docker login -u me -p $PASSWORD registry
mysql -u root -p main
-----BEGIN RSA PRIVATE KEY-----
the file starts with -----BEGIN PRIVATE KEY----- and ends with -----END PRIVATE KEY-----
-----BEGIN PRIVATE KEY-----\\n...\\n-----END PRIVATE KEY-----
"""

CODE = """
password: str
password: str | None = None
token: Optional[str] = None
def login(username: str, password: str) -> Token:
token = get_token()
token = self.get_token(request.headers["x"])
password = getpass.getpass("Password: ")
secret = os.environ["SECRET_KEY"]
secret = os.environ.get("SECRET_KEY", "")
const token = process.env.GITHUB_TOKEN;
const apiKey = import.meta.env.VITE_API_KEY
api_key=settings.API_KEY
password=self.password
password = request.form["password"]
if password == confirm_password:
if token != expected_token: raise ValueError
if (!apiKey) throw new Error("missing api key");
token = tokens[index + 1]
tokens = tokenizer.encode(text)
max_tokens=4096
max_tokens: 8192
"prompt_tokens": 1234, "completion_tokens": 567, "total_tokens": 1801
input_tokens=12345 output_tokens=678 cache_read_input_tokens=90123
pad_token = "<pad>"
eos_token_id = 50256
next_page_token = "CAUQAA3f9a8b7c6d5e4f"
pageToken: "EAAaBlBUOkNBVQ8d7f6s5"
key = lambda item: item.created_at
sorted(items, key=lambda x: x[1])
key = f"user:{user_id}:profile"
cache_key = "user:profile:v2:12345"
primary_key = models.UUIDField(primary_key=True)
foreign_key: users.id
KEY_PATH=/etc/ssl/private/server.key
ssh_key_path: ~/.ssh/id_ed25519
private_key_file = "/etc/keys/app.pem"
privateKeyPath: "./certs/dev-key.pem"
PWD=/home/me/projects/orders-api
OLDPWD=/srv/app2/current
password_hash = bcrypt.hashpw(password, salt)
password_field = "password_confirmation"
"password": "test"
"password": "secret"
User.objects.create_user("bob", password="test123")
client.login(username="alice", password="password1")
self.assertEqual(token, "token-1")
secret_name: prod-db-credentials-v2
secretName: tls-cert-orders-api
secretKeyRef: { name: db, key: password }
token_type = "Bearer"
grant_type=password
response_type=token
token_url = "https://auth.example.org/oauth2/token"
tokenEndpoint: https://login.example.org/oauth2/v2.0/token
password_min_length = 12
passwordResetToken: string;
interface Login { username: string; password: string }
type Props = { token: Token; onChange: (token: Token) => void }
public static final String PASSWORD = "password";
private static final String TOKEN_HEADER = "X-Auth-Token";
@Value("${app.secret}") private String secret;
String password = System.getenv("DB_PASSWORD");
var token = Environment.GetEnvironmentVariable("TOKEN");
let token = std::env::var("TOKEN")?;
token := r.Header.Get("X-Token")
password, err := term.ReadPassword(0)
fn next_token(&mut self) -> Option<Token> {
Token::Identifier(name) => self.parse_identifier(name),
enum TokenKind { Comma, Colon, StringLiteral, NumberLiteral }
for token in tokens: yield token.value
<input type="password" name="password" autocomplete="current-password">
<label for="password">Password</label>
input[type="password"] { border: 1px solid #c0ffee; }
.token.keyword { color: #d73a49; }
.token-list > .token--active:hover { background: #f6f8fa }
--color-token-secret: rgb(12, 34, 56);
font-family: "JetBrains Mono"; key: value;
sk-folding-cube sk-circle1 sk-child
class="sk-spinner sk-spinner-wandering-cubes-animated-v2"
task-runner-with-a-very-long-name-2024-build
risk-assessment-report-2024-final-version-3
git checkout feature/disk-usage-alerts-v2-refactoring
from memories.core.redact import Redactor
import { createTokenProvider } from "@acme/token-provider-v2";
passwordValidators = [MinLength(8), HasDigit()]
token = "".join(random.choice(ALPHABET) for _ in range(32))
secret = secrets.token_urlsafe(32)
SECRET_KEY = config("SECRET_KEY")
SECRET_KEY: ${{ secrets.SECRET_KEY }}
password: !vault |
password = data.aws_secretsmanager_secret_version.db.secret_string
password = var.db_password
api_key = module.keys.api_key
API_TOKEN=$(cat /run/secrets/api_token)
API_TOKEN=`pass show api`
export TOKEN=$(gh auth token)
echo "$TOKEN" | docker login --password-stdin
vault kv get -field=password secret/data/app
kubectl get secret app-tls -o yaml
kubectl create secret generic db --from-file=password=./pw.txt
aws secretsmanager get-secret-value --secret-id prod/db2/password
op://vault/item/password
password: op://Private/db/password
secret: arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf
cookie: { secure: true, httpOnly: true, maxAge: 86400000 }
Cookie: theme=dark; lang=de; consent=accepted
Set-Cookie: theme=dark; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT; SameSite=Lax
res.cookie("theme", "dark-mode-v2")
document.cookie = "consent=accepted; path=/"
authorization: required
Authorization: none
"Authorization": `Bearer ${token}`
headers["Authorization"] = "Bearer " + token
headers={"Authorization": f"Bearer {token}"}
assert "key" in record and record["key"] == "value-1"
data = {"key": "value", "token": "abc"}
{"key": "0f3c9a7d21b84e55a6c07e19d2f4b888", "size": 12}
{"id": "key_1", "object": "api_key", "name": "CI"}
keyboard: { shortcut: "ctrl+shift+k", key: "KeyK" }
event.key === "ArrowDown"
if (e.key === 'Enter' && !e.shiftKey) submit()
KEYS = ["alpha", "beta", "gamma2"]
hotkey=ctrl+alt+F12
ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC7v8m2y3Yk9T1x me@host
public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8Qm7v2 me@host"
publicKey: "MCowBQYDK2VwAyEA5q3Z8m2y3Yk9T1xV7v8m2y3Yk9T1xQ0z="
-----BEGIN PUBLIC KEY-----\\nMCowBQYDK2VwAyEA5q3Z8m2y3Yk9T1xV7v8m2y3Yk9T1xQ0z=\\n-----END PUBLIC KEY-----
-----BEGIN CERTIFICATE-----
pk_live_ and pk_test_ keys are publishable
stripe.api_key = os.getenv("STRIPE_SECRET_KEY")
self.token = token or self._load_token()
return {"token": token, "expires_in": 3600}
raise AuthError(f"bad token {token!r} for key {key}")
logger.info("password changed for %s", user)
throw new UnauthorizedException("Invalid password or token");
expect(screen.getByLabelText("Password")).toBeInTheDocument()
test("rejects a wrong password", async () => {
password: z.string().min(8).max(128),
token: Joi.string().required(),
apiKey: { type: String, required: true },
const [password, setPassword] = useState("");
passwordInput.value = "";
user.password = hash_password(user.password)
ALTER TABLE users ADD COLUMN password_hash varchar(255) NOT NULL;
SELECT token, expires_at FROM sessions WHERE token = ?
password VARCHAR(255), api_key CHAR(32)
CREATE INDEX idx_tokens_key ON tokens (key);
PRIMARY KEY (id), FOREIGN KEY (user_id) REFERENCES users (id)
signing key algorithm: ES256K/secp256k1
'password' => 'required|min:8|confirmed',
authorization=AuthorizationPolicyV2Builder
Authorization: OAuth2PasswordBearer(tokenUrl="token")
DB_PASSWORD=`vault read -field=pw2 x`
DB_PASSWORD="${DB_PASSWORD:-devpass2}"
private_key: PKCS7PrivateKeyTypes
private_key: Ed25519PrivateKey
private_key: SSHCertPrivateKeyTypes
"ignoreHTTPSErrors", "MLKEM768X25519PrivateKey", "NSURLCredentialStorage"
HEX_PAT = "[0-9A-Fa-f]{1,4}"
REG_NAME_PAT = r"(?:[^\\[\\]%:/?#]|%[a-fA-F0-9]{2})*"
longopt_pat = r'[a-zA-Z](?:[a-zA-Z0-9-]*)'
token = r"[-!#$%&'*+.^_`|~0-9a-zA-Z]+"
"sec-websocket-key": base64.b64encode(secrets.token_bytes(16)).decode("ascii")
url = httpx2.URL("https://jo%40email.com:a%20secret@example.org")
Pass :meth:`peek` a default
`class Account { <private> }` in the diagram
"""

PROSE = """
The password is checked in auth.py before the token is read.
We use a token bucket with 100 tokens per minute.
Secret: the trick is to sort first.
The key is that nothing is written twice.
The key point: write the file first, then the mirror.
A token is a word or a punctuation mark.
The tokenizer splits on whitespace2 and punctuation.
Pass the token to the next middleware.
All tests pass: 1234 passed, 5 skipped in 12.34s
The API key must be set in the environment.
The API key is read from ~/.config/app/credentials.toml
Rotate the API key every 90 days.
password must be at least 12 characters long
Passwords are hashed with argon2id (m=65536, t=3, p=4).
The access token expires after 3600 seconds.
Your token has 5 requests left.
Token usage: 123456 of 200000 tokens.
Key: value pairs are separated by commas.
Key decisions: use SQLite, keep files.
Secrets live in Vault; nothing is in the repository.
The secret is rotated by the operator in namespace prod-eu-west-1.
Use `secret` as the key for HMAC in tests.
The password field was renamed to passphrase2 in v3.1.0.
bearer tokens are preferred over basic authentication
Basic authentication is deprecated
Bearer token authentication with refresh
basic understanding of the code base
The cookie banner: accept, refuse, settings.
The cookie named sessionid is set by Django.
login page password reset flow
login as admin password is in the vault
A closing </private> tag alone is text.
Wrap it in `<private>` and it is not stored.
The tags `<private>` and `</private>` mark what stays out.
Set private: true in package.json
private_key is loaded lazily
The public key is in docs/keys.md
credentials: include
credentials = "same-origin"
The ssh key fingerprint is SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDIy7q5o1xkYw0m1Yc
key fingerprint = 3AA5 C343 71CB 83D5 1C1B  7F3F 9D4B 1F2A 6C7D 8E9F
commit 5e0914a1b2c3d4e5f60718293a4b5c6d7e8f9012 adds the token parser
token parser added in 5e0914a1b2c3d4e5f60718293a4b5c6d7e8f9012
The session 7b1e2f04-0000-4000-8000-00000000c0de asked about passwords.
password reset in session 7b1e2f04-9a1b-4c3d-8e5f-0123a5b7c9de was discussed
See issue #4711: "password = None" crashes the login.
Das Passwort wird in auth.py gelesen.
Le mot de passe est requis.
パスワードは必須です
Ask Bob for the password.
What's the password? I forgot it.
Forgot password?
token,key,secret,password
passkey support (WebAuthn) in 2.4.1
keypass.kdbx was opened
keyboard shortcuts: Ctrl+K, Ctrl+Shift+P
monkey-patching turned out to be fine
The monkey: key=banana
turnkey solution: $1,000,000.00
compass: 270deg
bypass: enabled
encompass: all
passing: 12, failing: 0
pass: 12, fail: 0
pass: tests/test_api2.py::test_login
- token: PR#4512/ENG-99-Fix
API key: #4512-Rotate/Q3
password: scram-sha-256. signing is on
passed: 100%
max password length: 128
API key rotation: quarterly
secret santa: 24.12.2026
The secret sauce = good tests
token count: 1,234,567
tokens: 12345678
token ids: 101, 2023, 2003, 102
"""

CONFIG = """
"private": true,
"key": "Home",
"keywords": ["password", "token", "secret"],
"integrity": "sha512-%(b64_64)s"
resolved "https://registry.yarnpkg.com/lodash/-/lodash-4.17.21.tgz#%(hex40)s"
  integrity sha512-%(b64_64)s
pnpm-lock: /@babel/core/7.23.9: resolution: {integrity: sha512-%(b64_64)s}
requests==2.31.0 --hash=sha256:%(hex64)s
    --hash=sha256:%(hex64)s \\
checksum = "%(hex64)s"
sha256:%(hex64)s
image: registry.example.org/app@sha256:%(hex64)s
docker://alpine:3.18@sha256:%(hex64)s
FROM python:3.12-slim@sha256:%(hex64)s
commit %(hex40)s
Merge: %(hex7)s %(hex7)s
index %(hex7)s..%(hex7)s 100644
git show %(hex40)s:src/key.py
git rev-parse HEAD -> %(hex40)s
ETag: "%(hex32)s"
If-None-Match: W/"%(hex32)s"
md5: %(hex32)s
%(hex32)s  token.txt
%(hex64)s  release/secret-scanner_linux_amd64.tar.gz
uuid: %(uuid)s
id: %(uuid)s
session_id=%(uuid)s
request_id: %(uuid)s
trace_id=%(hex32)s span_id=%(hex16)s
traceparent: 00-%(hex32)s-%(hex16)s-01
"sessionId": "%(uuid)s", "uuid": "%(uuid)s"
"parentUuid": "%(uuid)s", "requestId": "req_011%(word21)s"
"id": "msg_01%(word22)s"
toolu_01%(word22)s
"tool_use_id": "toolu_01%(word22)s"
"call_id": "call_%(word24)s"
chatcmpl-%(word29)s
"signature": "%(b64_300)s"
thread_%(word24)s
pi_%(word24)s cus_%(word14)s
AWS account 123456789012, role AROA%(UP17)s
arn:aws:iam::123456789012:role/deploy-key-rotation
i-0%(hex16)s vpc-%(hex8)s sg-%(hex8)s subnet-%(hex8)s
ami-0%(hex16)s
projects/acme/secrets/db-password/versions/3
data:image/png;base64,%(b64_300)s
<img src="data:image/png;base64,%(b64_300)s">
url(data:font/woff2;base64,%(b64_300)s)
"data": "%(b64_300)s"
"media_type": "image/png", "data": "iVBORw0KGgo%(b64_300)s"
{"type":"base64","media_type":"image/jpeg","data":"/9j/4AAQ%(b64_300)s"}
//# sourceMappingURL=data:application/json;base64,%(b64_300)s
<script src="app.js" integrity="sha384-%(b64_48)s" crossorigin="anonymous">
main.%(hex8)s.js main.%(hex20)s.css
static/js/vendors~main.%(hex20)s.chunk.js
/nix/store/%(low32)s-python3-3.11.6/bin/python
~/.cache/pip/http/%(hex2)s/%(hex56)s
/var/lib/docker/overlay2/%(hex64)s/merged
.git/objects/%(hex2)s/%(hex38)s
node_modules/.cache/babel-loader/%(hex64)s.json
https://github.com/acme/app/commit/%(hex40)s
https://github.com/acme/app/compare/%(hex7)s...%(hex7)s
https://example.org/page?id=%(hex24)s&ref=%(word11)s
https://www.youtube.com/watch?v=%(word11)s
https://docs.google.com/document/d/1%(word43)s/edit
https://drive.google.com/file/d/1%(word32)s/view
https://cdn.example.org/%(hex32)s/logo.png
https://hub.docker.com/layers/library/python/3.12/images/sha256-%(hex64)s
https://www.figma.com/file/%(word22)s/Design-Tokens
http://localhost:3000/@vite/client
http://localhost:8080/users/@me
https://unpkg.com/react@18.2.0/umd/react.js
https://example.org:8443/a@b
ssh://git@github.com:22/acme/app.git
git@github.com:acme/token-service.git
mailto:bob@example.org
sqlite:///./app.db
mongodb://localhost:27017/test
<svg><path d="M12.5 3.2L9.8 14.1c-.3.9 1.2 1.4z"/></svg>
0x%(hex40)s
0x%(hex64)s
tx %(hex64)s confirmed
bc1q%(low38)s
serial: %(dec20)s
phone +49 30 %(dec8)s, order 4%(dec15)s
ISBN 978-3-16-148410-0
%(dec10)s.%(dec6)s
timestamp=%(dec13)s
pid=%(dec5)s tid=%(dec15)s
build 2024.1.%(dec8)s
version = "1.2.3-rc.4+build.%(hex7)s"
license key: none
key: %(hex32)s
cache key: v2-Linux-%(hex64)s
key: ${{ runner.os }}-pip-${{ hashFiles('requirements.txt') }}
node-cache-Linux-x64-npm-%(hex64)s
restore-keys: npm-%(hex64)s
idempotency_key: %(uuid)s
Idempotency-Key: %(uuid)s
partition_key="user#%(hex24)s"
object_key = "uploads/%(hex32)s.png"
s3_key: backups/2024/%(hex16)s.tar.gz
site_key = "6Le%(word37)s"
publishable_key="pk_live_%(word24)s"
public_key: %(b64_32)s
fingerprint: %(hex40)s
csrf_exempt = True
csrfmiddlewaretoken is checked
nonce: %(word22)s
salt = "%(hex32)s"
hash: %(b64_32)s
digest: sha256:%(hex64)s
"_id": "%(hex24)s"
ObjectId("%(hex24)s")
ulid: 01H%(UP23)s
snowflake: %(dec18)s
device_id=%(hex16)s
fcm topic: news-%(hex8)s
keyid %(UPHEX16)s
gpg: using RSA key %(UPHEX40)s
rsa4096/%(UPHEX16)s 2024-01-01 [SC]
known_hosts: |1|%(b64_20)s|%(b64_20)s ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI%(word43)s
ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ%(b64_300)s me@laptop
SHA256:%(word43)s me@laptop (ED25519)
MAC 52:54:00:%(hex2)s:%(hex2)s:%(hex2)s
fe80::%(hex4)s:%(hex4)s:%(hex4)s:%(hex4)s
dsn: https://%(hex32)s@o123456.ingest.sentry.io/4506
!function(e,t){"object"==typeof exports?module.exports=t():e.token=t()}(this,function(){var n="%(hex16)s";return n});
var a=function(e){return e.key===t.key&&e.password===t.password},b={token:1,key:2};
Object.keys(e).forEach(function(key){t[key]=e[key]});
const r="%(word16)s",o=e=>e.token;
1:"a%(word7)s",2:"b%(word7)s",key:"c%(word7)s"
webpackJsonp([%(dec5)s],{"%(word4)s":function(e,t,n){n.d(t,"a",function(){return r})}})
"%(b64_32)s"
%(b64_48)s
%(hex64)s
%(word32)s
%(uuid)s
%(dec20)s
trace: at Object.<anonymous> (/srv/app/dist/%(hex20)s/token.js:12:34)
thread %(dec15)s panicked at src/key.rs:12:34
[%(hex12)s] token refreshed for user %(dec8)s
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36
X-Request-Id: %(uuid)s
CF-RAY: %(hex16)s-FRA
x-amz-id-2: %(b64_48)s
x-amz-request-id: %(UP16)s
"nextToken": "%(b64_48)s"
"NextContinuationToken": "%(b64_48)s"
cursor: "%(b64_32)s"
"syncToken": "%(word22)s="
"etag": "\\"%(word27)s\\""
resourceVersion: "%(dec8)s"
tmp.%(word10)s
/tmp/pytest-of-me/pytest-%(dec3)s/test_password_is_checked0
test_token_%(dec3)s.py::test_key_is_secret[%(hex8)s] PASSED
"""

COUNTS = (2, 1)
"""How often each line is made: those that a machine writes (with fresh values), and those by hand."""

_FILL = re.compile(r"%\((?:(hex|word|low|dec|UPHEX|UP)(\d+)|b64_(\d+)|(uuid))\)s")


def texts(rng: random.Random) -> Iterator[tuple[str, str]]:
    """(kind, text) of each."""
    for kind, lines in (("placeholder", PLACEHOLDERS), ("code", CODE), ("prose", PROSE)):
        for line in lines.strip().splitlines():
            yield kind, line
    for _ in range(COUNTS[0]):
        for line in CONFIG.strip("\n").splitlines():
            yield "machine", _FILL.sub(lambda found: _made(rng, found), line)


def _made(rng: random.Random, found: re.Match[str]) -> str:
    if found.group(4):
        return "-".join("".join(rng.choice(HEX) for _ in range(size)) for size in (8, 4, 4, 4, 12))
    if found.group(3):
        return base64.b64encode(rng.randbytes(int(found.group(3)))).decode()
    alphabets = {
        "hex": HEX, "word": WORD, "low": string.ascii_lowercase + string.digits, "dec": string.digits,
        "UPHEX": HEX.upper(), "UP": string.ascii_uppercase + string.digits,
    }  # fmt: skip
    return "".join(rng.choice(alphabets[found.group(1)]) for _ in range(int(found.group(2))))
