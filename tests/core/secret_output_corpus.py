"""What tools print and people type: secrets in tables, pairs, options and coloured lines; and what looks like them.

`{s}` is the secret. A template is (surrounding, text); shapes that need more than one value are put together from it.
"""

from __future__ import annotations

BEGIN = "-" * 5 + "BEGIN OPENSSH PRIVATE KEY" + "-" * 5
END = "-" * 5 + "END OPENSSH PRIVATE KEY" + "-" * 5

PASSWORDS: tuple[tuple[str, str], ...] = (
    ("aws table", "-----\n|  SecretAccessKey |  {s}{s}{s}  |\n|  UserName  |  ci  |\n"),
    ("aws session table", "| SessionToken | {s}{s}{s}{s} |"),
    ("aws secret table", "||  SecretString  |  {s}  ||"),
    ("ssm json", '{{"Parameter": {{"Name": "/prod/db/main", "Type": "SecureString", "Value": "{s}", "Version": 3}}}}'),
    ("ssm text", "PARAMETER\tarn:aws:ssm:eu-west-1:1:parameter/prod/x\ttext\t/prod/x\tSecureString\t{s}\t3"),
    ("markdown table", "| Name | Value |\n|---|---|\n| DB_PASSWORD | `{s}` |\n| PORT | 8080 |"),
    ("markdown password", "| password | {s} |"),
    ("markdown bold", "| **Password** | {s} |"),
    ("json pair", '{{"value": "{s}", "name": "DB_PASSWORD"}}'),
    ("json pair apart", '{{"name": "DB_PASSWORD", "type": "plain", "value": "{s}"}}'),
    ("json pair escaped", '{{\\"Key\\": \\"db_password\\", \\"Value\\": \\"{s}\\"}}'),
    ("hcl pair", '{{ name = "DB_PASSWORD", value = "{s}" }}'),
    ("yaml pair", "- value: {s}\n  name: DB_PASSWORD\n- value: x\n  name: PORT\n"),
    ("kubectl json", '{{"apiVersion": "v1", "data": {{"uri": "{s}{s}"}}, "kind": "Secret"}}'),
    ("kubectl json kind first", '{{\n "kind": "Secret",\n "data": {{\n  "a": "{s}=",\n  "b": "{s}"\n }}\n}}'),
    ("kubectl applied", '"{{\\"data\\":{{\\"uri\\":\\"{s}\\"}},\\"kind\\":\\"Secret\\"}}\\n"'),
    ("string data", 'kind: Secret\nmetadata:\n  name: x\nstringData:\n  url: "foo bar {s}"\n  other: plain {s}\n'),
    ("kubeconfig", "users:\n- user:\n    client-key-data: LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQp{s}{s}{s}=="),
    ("kubectl literal", "kubectl create secret generic db --from-literal=DB={s} --from-literal=user=app"),
    ("terraform variable", 'variable "db_password" {{\n  type = string\n  default = "{s}"\n}}\n'),
    ("terraform output", '"db_password": {{\n  "sensitive": true,\n  "type": "string",\n  "value": "{s}"\n}}'),
    ("yaml nested", "DB_PASSWORD:\n  value: {s}\n"),
    ("url with marks", "postgresql://app:p@ss/{s}@db.internal:5432/main"),
    ("mongodb with a slash", "mongodb+srv://app:x/{s}@c0.example.org/main"),
    ("url token", "git remote add o https://a9{s}3@github.com/o/r.git"),
    ("percent", "redirect?to=%2Fx%3Fuser%3Da%26password%3D{s}%26b%3D1"),
    ("percent json", "%7B%22password%22%3A%22{s}%22%7D"),
    ("json twice", '"{{\\"password\\": \\"a\\\\\\"{s}\\", \\"n\\": 1}}"'),
    ("yaml quote", "password: 'it''s{s}'\n"),
    ("colour", "\x1b[32mDB_PASSWORD\x1b[0m=\x1b[33m{s}\x1b[0m\n"),
    ("colour before", "DB_PASSWORD=\x1b[33m{s}"),
    ("colour written out", '"\\u001b[32mDB_PASSWORD\\u001b[0m=\\u001b[33m{s}\\u001b[0m"'),
    ("grep context", "config/.env-DB_HOST=x\nconfig/.env-DB_PASSWORD={s}\n"),
    ("grep context numbered", "config/.env-12-DB_PASSWORD={s}\n"),
    ("redis-cli", "redis-cli -h cache -a {s} ping"),
    ("requirepass", "port 6379\nrequirepass {s}\n"),
    ("redis auth", "127.0.0.1:6379> AUTH {s}\nOK"),
    ("redis auth user", "AUTH default {s}\n+OK"),
    ("keytool", "keytool -list -storepass {s} -keypass '{s}'"),
    ("htpasswd", "htpasswd -bc /etc/nginx/.htpasswd admin {s}"),
    ("htpasswd print", "htpasswd -nbB admin '{s}'"),
    ("chpasswd", "echo 'deploy:{s}' | sudo chpasswd"),
    ("sudo", "echo '{s}' | sudo -S apt update"),
    ("sudo here", "sudo -S <<< '{s}' apt update"),
    ("docker login", "echo {s} | docker login -u jane --password-stdin"),
    ("passwd", "echo {s} | passwd --stdin root"),
    ("useradd", "useradd -m -p {s} x"),
    ("mongo", "mongo -u admin -p {s} --authenticationDatabase admin"),
    ("mongosh", "mongosh 'mongodb://h' --username a -p '{s}'"),
    ("az login", "az login --service-principal -u a -p {s} --tenant t"),
    ("openssl enc", "openssl enc -aes-256-cbc -k {s} -in a"),
    ("curl cookie", "curl -b 'lang=de; PHPSESSID={s}' https://x.example.org"),
    ("curl long cookie", "curl --cookie 'session={s}' https://x.example.org"),
    ("pgpass", "db.internal:5433:main:app:{s}\n"),
    ("pgpass file", "$ cat ~/.pgpass\ndb:7001:main:app:{s}\n"),
    ("requests", "requests.get(url, auth=('admin', '{s}'))"),
    ("basic auth", 'HTTPBasicAuth("admin", "{s}")'),
    ("setter", 'config.setPassword("{s}");'),
    ("sql function", "SET PASSWORD FOR 'a'@'%' = PASSWORD('{s}');"),
    ("jwt signing", "JWT_SIGNING={s}{s}"),
    ("tail of a key", "{s}{s}{s}{s}\n{s}{s}{s}{s}\n{s}{s}==\n" + END),
    ("tail of a key, numbered", "   11\t{s}{s}{s}\n   12\t{s}{s}\n   13\t" + END),
)
"""Fourteen letters and digits, made by a seed."""

HEXES: tuple[tuple[str, str], ...] = (
    ("rails", "SECRET_KEY_BASE={s}{s}"),
    ("rails yaml", "production:\n  secret_key_base: {s}{s}\n"),
    ("github", "origin\thttps://{s}@github.com/o/r.git (fetch)"),
    ("sentry", "SENTRY_DSN=https://a9b8:{s}@sentry.example.org/123"),
)
"""Forty hexadecimal digits."""

OTHERS: tuple[tuple[str, str, str, int], ...] = (
    ("vault unseal", "Unseal Key 1: {s}=\nUnseal Key 2: {s}=\n", "base64", 43),
    ("okta", "Authorization: SSWS 00{s}", "url", 40),
    ("okta alone", "the token is SSWS 00{s}", "url", 40),
    ("mongodb atlas", "mdb_" + "sa_sk_{s}", "word", 40),
    ("one-time password", "otpauth://totp/x:me?secret={s}&issuer=x", "base32", 32),
    ("kubeadm", "kubeadm join 10.0.0.1:6443 --token k3x9q2.{s} --discovery-token-ca-cert-hash sha256:x", "low", 16),
)
"""(surrounding, template, alphabet, size)."""

PREFIXES: tuple[tuple[str, str], ...] = (
    ("grep -n", "{n}:"),
    ("grep -r", "id_rsa-"),
    ("grep -rn", "keys/id_rsa-{n}-"),
    ("log", "2026-01-17T10:11:{n:02}Z "),
    ("log with level", "[2026-01-17 10:11:{n:02},123] INFO  "),
    ("compose", "web_1  | "),
)
"""What stands before each line of a key; {n} is the line's number."""

LOOKALIKES = r"""
| password | string |
| password | The password of the user, at least 12 characters |
| DB_PASSWORD | required |
| `password` | `varchar(255)` | not null |
| token | max_tokens | 4096 |
| Secret | 2024-11-03 |
| password | v2.3.1 |
| SecretAccessKey | String | yes |
| pass | 14210 | fail | 3 |
{"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db-2", "key": "password2"}}}
{"name": "DB_PASSWORD", "value": ""}
{"name": "DB_PASSWORD", "value": "${DB_PASSWORD}"}
{"name": "PORT", "value": "8080x1"}
{"key": "errors.password", "value": "Wrong password, try again"}
{"name": "max_tokens", "value": "128000x1"}
variable "db_password" { type = string }
variable "db_password_length" { default = "16x32" }
variable "region" { default = "eu-west-1" }
"token": {"type": "string", "default": ""}
password: {"type": "string", "default": null}
token_limit:\n  value: 4096
SecureString password = new SecureString();
"Type": "SecureString"
kind: SecretStore\ndata:\n  x: yyyyyy2\n
{"kind": "SecretList", "data": {"a": "bcdefgh2"}}
certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSURCVENDQWUyZ0F3SUJBZ0lJ
http://localhost:3000/@scope/pkg
https://host:8443/users/a@b.com
postgres://db:5432/main?owner=a@b.com
https://registry.npmjs.org/@types/node@20
git+ssh://git@github.com/o/r.git
ssh://build-agent-pool-one@ci.example.org/x
https://jane.doe@dev.azure.example.org/org
?next=%2Fpassword%2Freset%3Fid%3D42
token_type%3Dbearer
password: ''
name = '' if token else ''
PASSWORD_FILE=\x1b[33m/run/secrets/db\x1b[0m
config/.env-DB_PASSWORD=
src/auth/token-parse=strict
redis-cli -h cache -p 6379 ping
redis-cli --raw -a $REDIS_PASSWORD ping
the requirepass directive is off
# requirepass foobared
AUTH failed
AUTH PLAIN LOGIN
AUTH <password>
keytool -list -storepass changeit
keytool -storepass $STOREPASS
htpasswd -c .htpasswd admin
echo "$USER:$PASS" | chpasswd
echo "$SUDO_PASSWORD" | sudo -S true
echo deb2 | sudo tee -a x
echo hello2you | git hash-object --stdin
echo $TOKEN | docker login --password-stdin
mysql -p3306
docker run --name mysql -p3306:3306 mysql:8
docker run --name mysql -p 3306:3306 mysql:8
docker run --name mariadb -p127.0.0.1:3306:3306/tcp mariadb
docker run -d --name mongo -u 1000 -p 27017:27017 mongo:7
mkdir -p mongo/data && useradd -m jane
pytest tests/mongo -p no:cacheprovider
az login --use-device-code
openssl enc -aes-256-cbc -k "$PASS" -in a
openssl dgst -sha256 -k2
curl -b cookies.txt -c cookies.txt https://x.example.org
curl --cookie "session=$SESSION" https://x.example.org
main.c:5433:in:foo
fe80:5433:ab:cd:ef12
requests.get(url, auth=('user', 'password'))
requests.get(url, auth=(user, password))
HTTPBasicAuth(username, password)
user.set_password("password")
user.setPassword(newPassword2)
PASSWORD('secret')
JWT_SIGNING=HS256
SECRET_KEY_BASE=$(openssl rand -hex 64)
Unseal Key 1: <hidden>
Unseal Progress 1/3
otpauth://totp/x?secret=...
kubeadm token create --print-join-command
kubectl create secret generic db --from-literal=user=app
-----END CERTIFICATE-----
the file ends with -----END PRIVATE KEY-----
1:-----BEGIN PRIVATE KEY-----
""".strip("\n").splitlines()
"""One each line; `\\n` and `\\x1b` stand for themselves once read by lookalikes()."""


def lookalikes() -> list[str]:
    """The look-alikes with their line ends and colours."""
    return [line.replace("\\n", "\n").replace("\\x1b", "\x1b") for line in LOOKALIKES]
