// Configuration: the shipped file, every kind of mistake, and the environment.
#include "server/config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "server/export_fields.h"
#include "storage/io/disk.h"

namespace outcrop::server {
namespace {

namespace fs = std::filesystem;

std::string shipped() {
  std::ifstream in(OUTCROP_SOURCE_DIR "/conf/outcrop.toml");
  return std::string(std::istreambuf_iterator<char>(in), {});
}

Environment none() {
  return [](const std::string&) { return std::nullopt; };
}
Environment with(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
    const auto it = values.find(name);
    return it == values.end() ? std::nullopt : std::optional(it->second);
  };
}

std::string mistake(std::string_view text) {
  const Result<Config> c = parse_config(text, "o.toml");
  return c ? "accepted" : std::string(c.error().detail());
}

TEST(Config, ShippedFileHoldsTheDefaults) {
  const Result<Config> c = parse_config(shipped(), "outcrop.toml");
  ASSERT_TRUE(c.has_value()) << c.error().detail();
  EXPECT_EQ(*c, Config{});
}

TEST(Config, ShippedFileHoldsEveryKeyWithAComment) {
  const std::string text = shipped();
  for (const std::string_view key : config_keys()) {
    const std::size_t dot = key.rfind('.');
    const std::string leaf(dot == std::string_view::npos ? key : key.substr(dot + 1));
    std::size_t from = 0;
    if (dot != std::string_view::npos) {
      from = text.find("[" + std::string(key.substr(0, dot)) + "]");
      ASSERT_NE(from, std::string::npos) << key;
    }
    const std::size_t at = text.find("\n" + leaf + " = ", from);
    ASSERT_NE(at, std::string::npos) << key;
    const std::string line = text.substr(at + 1, text.find('\n', at + 1) - at - 1);
    EXPECT_NE(line.find(" # "), std::string::npos) << line;
  }
}

constexpr const char* kEveryKey = R"(
region = "eu-1"
domain = "s3.example.com"
state_dir = "/var/lib/outcrop"
[server]
s3 = "[::]:80"
admin = "10.0.0.1:0"
workers = 3
memory_limit = "1GiB"
max_connections = 10
max_connections_per_address = 0
shutdown_timeout = "5s"
safe_mode = "2m"
tls = {cert = "c.pem", key = "k.pem"}
[log]
level = "debug"
format = "json"
requests = true
[storage]
drives = ["/a", "/b"]
parity = 1
allow_reduced_redundancy = true
io = "threads"
segment_size = "64MiB"
scrub_period = "36h"
restripe_after = "5m"
rebalance_after = "7m"
[audit]
enabled = false
dir = "/var/log/outcrop"
file_size = "1MiB"
files = 3
queue = "2MiB"
sync = "batch"
[s3]
etag = "fast"
dialect = "rgw"
file_metadata = false
lifecycle_day = "30s"
sse_c_over_http = true
signature_v2_forms = true
[auth]
unsigned_payload_http = false
block_public_access = false
object_ownership = "ObjectWriter"
key_file = "seal"
)";

TEST(Config, ReadsEveryKey) {
  const Result<Config> c = parse_config(kEveryKey, "o.toml");
  ASSERT_TRUE(c.has_value()) << c.error().detail();
  Config want;
  want.region = "eu-1";
  want.domains = {"s3.example.com"};
  want.state_dir = "/var/lib/outcrop";
  want.s3 = {"::", 80};
  want.admin = {"10.0.0.1", 0};
  want.workers = 3;
  want.memory_limit = 1 << 30;
  want.max_connections = 10;
  want.max_connections_per_address = 0;
  want.shutdown_timeout = std::chrono::seconds(5);
  want.safe_mode = std::chrono::minutes(2);
  want.tls_cert = "c.pem";
  want.tls_key = "k.pem";
  want.log_level = log::Level::debug;
  want.log_format = log::Format::json;
  want.log_requests = true;
  want.drives = {"/a", "/b"};
  want.parity = 1;
  want.allow_reduced_redundancy = true;
  want.io = io::BackendKind::threads;
  want.segment_size = 64 << 20;
  want.scrub_period = std::chrono::hours(36);
  want.restripe_after = std::chrono::minutes(5);
  want.rebalance_after = std::chrono::minutes(7);
  want.fast_etags = true;
  want.rgw_dialect = true;
  want.file_metadata = false;
  want.lifecycle_day = std::chrono::seconds(30);
  want.sse_c_over_http = true;
  want.signature_v2_forms = true;
  want.audit = false;
  want.audit_dir = "/var/log/outcrop";
  want.audit_file_size = 1 << 20;
  want.audit_files = 3;
  want.audit_queue = 2 << 20;
  want.audit_sync = audit::Sync::batch;
  want.unsigned_payload_http = false;
  want.block_public_access = false;
  want.object_ownership = access::Ownership::writer;
  want.key_file = "seal";
  EXPECT_EQ(*c, want);
}

TEST(Config, ReadsEveryKeyOfNfs) {
  const Result<Config> c = parse_config(R"(
[nfs]
listen = "127.0.0.1:12049"
lease = "30s"
grace = "40s"
portmap = true
tls = {cert = "nc.pem", key = "nk.pem", client_ca = "ca.pem"}
[[export]]
bucket = "one"
clients = "10.0.0.0/8"
[[export]]
path = "/a/b"
bucket = "two"
prefix = "x/y"
clients = ["127.0.0.1", "fd00::/8"]
access = "ro"
squash = "all"
anon_uid = 1000
anon_gid = 1001
identity = "KEY"
xprtsec = "mtls"
)",
                                        "o.toml");
  ASSERT_TRUE(c.has_value()) << c.error().detail();
  Config want;
  want.nfs = HostPort{"127.0.0.1", 12049};
  want.nfs_lease = std::chrono::seconds(30);
  want.nfs_grace = std::chrono::seconds(40);
  want.nfs_portmap = true;
  want.nfs_tls_cert = "nc.pem";
  want.nfs_tls_key = "nk.pem";
  want.nfs_tls_client_ca = "ca.pem";
  want.exports.resize(2);
  want.exports[0].path = "/one";
  want.exports[0].bucket = "one";
  want.exports[0].clients = {*nfs::parse_cidr("10.0.0.0/8")};
  nfs::Export& two = want.exports[1];
  two.path = "/a/b";
  two.bucket = "two";
  two.prefix = "x/y";
  two.clients = {*nfs::parse_cidr("127.0.0.1"), *nfs::parse_cidr("fd00::/8")};
  two.read_only = true;
  two.squash = nfs::Squash::all;
  two.anon_uid = 1000;
  two.anon_gid = 1001;
  two.identity = "KEY";
  two.security = nfs::TransportSecurity::mtls;
  EXPECT_EQ(*c, want);
}

TEST(Config, ShippedFileShowsEveryFieldOfAnExport) {
  std::string text = shipped();
  const std::size_t from = text.find("# [[export]]\n");
  ASSERT_NE(from, std::string::npos);
  for (const std::string_view name : export_fields()) {
    const std::size_t at = text.find("\n# " + std::string(name) + " = ", from);
    ASSERT_NE(at, std::string::npos) << name;
    const std::string line = text.substr(at + 1, text.find('\n', at + 1) - at - 1);
    EXPECT_NE(line.find(" # ", 2), std::string::npos) << line;
  }
  // Uncommented it works, and its values are the defaults.
  std::string example = text.substr(from);
  for (std::size_t at = 0; (at = example.find("# ", at)) != std::string::npos; ++at) {
    if (at == 0 || example[at - 1] == '\n') {
      example.erase(at, 2);
    }
  }
  const Result<Config> c = parse_config(example, "example");
  ASSERT_TRUE(c.has_value()) << c.error().detail();
  nfs::Export want;
  want.path = "/datasets";
  want.bucket = "datasets";
  want.clients = {*nfs::parse_cidr("10.1.0.0/16")};
  EXPECT_EQ(c->exports, std::vector{want});
}

TEST(Config, NfsCanBeOff) {
  EXPECT_EQ(parse_config("nfs.listen = \"\"", "f")->nfs, std::nullopt);
  EXPECT_EQ(mistake("nfs.listen = \"2049\""),
            "o.toml:1: nfs.listen: expected \"\" or ADDRESS:PORT, like \"0.0.0.0:9000\" or "
            "\"[::]:9000\"");
}

TEST(Config, MistakesInExports) {
  const auto in = [](const std::string& fields) {
    return mistake("[[export]]\nbucket = \"b\"\nclients = \"::/0\"\n" + fields);
  };
  EXPECT_EQ(in(""), "accepted");
  EXPECT_EQ(in("aceess = \"ro\""), "o.toml:4: export.aceess: unknown key; did you mean access?");
  EXPECT_EQ(in("access = \"read\""), "o.toml:4: export.access: expected one of \"rw\", \"ro\"");
  EXPECT_EQ(in("squash = true"),
            "o.toml:4: export.squash: expected one of \"root\", \"all\", \"none\"");
  EXPECT_EQ(in("xprtsec = \"ssl\""),
            "o.toml:4: export.xprtsec: expected one of \"none\", \"tls\", \"mtls\"");
  EXPECT_EQ(in("anon_uid = 4294967294"), "accepted");
  EXPECT_EQ(in("anon_uid = 4294967295"),
            "o.toml:4: export.anon_uid: expected a whole number from 0 to 4294967294");
  EXPECT_EQ(in("path = \"a\"").substr(0, 24), "o.toml:1: export.path: e");
  EXPECT_EQ(in("prefix = \"/x\"").substr(0, 26), "o.toml:1: export.prefix: e");
  EXPECT_EQ(in("[[export]]\nbucket = \"b\"\nclients = \"::/0\""),
            "o.toml:4: export.path: /b is exported already");
  EXPECT_EQ(in("[[export]]\nbucket = \"c\"\npath = \"/b/c\"\nclients = \"::/0\""),
            "o.toml:4: export.path: /b/c and /b would lie in one another");
  EXPECT_EQ(mistake("\n[[export]]\nbucket = \"b\""),
            "o.toml:2: export.clients: missing; say who may mount it, like [\"10.1.0.0/16\"]");
  EXPECT_EQ(mistake("[[export]]\nclients = \"::/0\""),
            "o.toml:1: export.bucket: missing; name the bucket to export");
  EXPECT_EQ(mistake("[[export]]\nclients = \"everyone\""),
            "o.toml:2: export.clients: expected at most 64 addresses or blocks, like "
            "[\"10.1.0.0/16\", \"fd00::/8\"]");
  EXPECT_EQ(mistake("export = 3"), "o.toml:1: export: expected tables: [[export]]");
}

std::string unfinished(const std::string& text) {
  Result<Config> c = parse_config("[storage]\ndrives = [\"d\"]\n" + text, "f");
  if (!c) {
    return std::string(c.error().detail());
  }
  const Result<void> done = finish_config(*c, "/base");
  return done ? "accepted" : std::string(done.error().detail());
}

TEST(Config, NfsAsAWhole) {
  EXPECT_EQ(unfinished(""), "accepted");
  EXPECT_EQ(unfinished("[nfs]\nlease = \"5s\""), "accepted");
  EXPECT_EQ(unfinished("[nfs]\nlease = \"4s\""), "nfs.lease: must be at least \"5s\"");
  EXPECT_EQ(unfinished("[nfs]\nlease = \"61s\"").substr(0, 11), "nfs.grace: ");
  EXPECT_EQ(unfinished("[nfs.tls]\ncert = \"c\"").substr(0, 13), "nfs.tls.key: ");
  EXPECT_EQ(unfinished("[nfs.tls]\nclient_ca = \"c\"").substr(0, 19), "nfs.tls.client_ca: ");
  const std::string tls = "[nfs.tls]\ncert = \"c\"\nkey = \"k\"\n";
  const std::string e = "[[export]]\nbucket = \"b\"\nclients = \"::/0\"\nxprtsec = ";
  EXPECT_EQ(unfinished(e + "\"tls\""), "export /b: xprtsec: needs nfs.tls.cert and nfs.tls.key");
  EXPECT_EQ(unfinished(tls + e + "\"tls\""), "accepted");
  EXPECT_EQ(unfinished(tls + e + "\"mtls\""),
            "export /b: xprtsec: \"mtls\" needs nfs.tls.client_ca");
}

TEST(Config, MistakesAreOneLineWithFileLineAndKey) {
  EXPECT_EQ(mistake("[server]\nwrokers = 1\n"),
            "o.toml:2: server.wrokers: unknown key; did you mean server.workers?");
  EXPECT_EQ(mistake("xyzzyxyzzy = 1"),
            "o.toml:1: xyzzyxyzzy: unknown key; see conf/outcrop.toml for all keys");
  EXPECT_EQ(mistake("[nosuchsection]\na = 1"),
            "o.toml:1: nosuchsection: unknown key; see conf/outcrop.toml for all keys");
  EXPECT_EQ(mistake("\n[server]\nworkers = \"many\""),
            "o.toml:3: server.workers: expected a whole number from 0 to 256");
  EXPECT_EQ(mistake("[server]\nmemory_limit = \"512MB\""),
            "o.toml:2: server.memory_limit: expected \"auto\" or a size of at least 128MiB, with "
            "KiB, MiB, "
            "GiB or TiB, like \"512MiB\"");
  EXPECT_EQ(mistake("[server]\ns3 = \"localhost:9000\""),
            "o.toml:2: server.s3: expected ADDRESS:PORT, like \"0.0.0.0:9000\" or \"[::]:9000\"");
  EXPECT_EQ(mistake("[log]\nlevel = \"loud\""),
            "o.toml:2: log.level: expected one of \"debug\", \"info\", \"warn\", \"error\"");
  EXPECT_EQ(mistake("[storage]\ndrives = [1]"),
            "o.toml:2: storage.drives: expected an array of strings");
  EXPECT_EQ(mistake("[storage]\nparity = 16"),
            "o.toml:2: storage.parity: expected \"auto\" or a whole number from 0 to 15");
  EXPECT_EQ(mistake("region = 1.5"), "o.toml:1: region: expected a single value");
  EXPECT_EQ(mistake("server = 1"), "o.toml:1: server: unknown key; did you mean server.s3?");
  EXPECT_EQ(mistake("[log]\nrequests = \"true\""),
            "o.toml:2: log.requests: expected true or false");
  for (const char* broken :
       {"a = ", "[server\n", "region = \"a", "region = \"\xff\"", "a = 1\na = 2"}) {
    const std::string text = mistake(broken);
    EXPECT_TRUE(text.starts_with("o.toml:")) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  }
}

TEST(Config, EnvironmentOverridesTheFile) {
  Config c;
  const Result<void> done = apply_environment(c, with({{"OUTCROP_SERVER_S3", "127.0.0.1:1"},
                                                       {"OUTCROP_SERVER_TLS_CERT", "c"},
                                                       {"OUTCROP_SERVER_WORKERS", "2"},
                                                       {"OUTCROP_LOG_REQUESTS", "true"},
                                                       {"OUTCROP_STORAGE_DRIVES", "/a,/b"},
                                                       {"OUTCROP_STORAGE_PARITY", "1"},
                                                       {"OUTCROP_ROOT_ACCESS_KEY", "root"},
                                                       {"OUTCROP_ROOT_SECRET_KEY", "secret"}}));
  ASSERT_TRUE(done.has_value()) << done.error().detail();
  EXPECT_EQ(c.s3, (HostPort{"127.0.0.1", 1}));
  EXPECT_EQ(c.tls_cert, "c");
  EXPECT_EQ(c.workers, 2u);
  EXPECT_TRUE(c.log_requests);
  EXPECT_EQ(c.drives, (std::vector<std::string>{"/a", "/b"}));
  EXPECT_EQ(c.parity, 1u);
  EXPECT_EQ(c.root_access_key, "root");
  EXPECT_EQ(c.root_secret_key, "secret");
}

TEST(Config, EveryKeyHasAVariable) {
  for (const std::string_view key : config_keys()) {
    std::string name = "OUTCROP_";
    for (const char ch : key) {
      name.push_back(ch == '.' ? '_' : static_cast<char>(std::toupper(ch)));
    }
    Config c;
    bool asked = false;
    std::ignore = apply_environment(c, [&](const std::string& n) -> std::optional<std::string> {
      asked = asked || n == name;
      return std::nullopt;
    });
    EXPECT_TRUE(asked) << name;
  }
}

TEST(Config, EnvironmentMistakesNameTheVariable) {
  Config c;
  EXPECT_EQ(apply_environment(c, with({{"OUTCROP_SERVER_WORKERS", "x"}})).error().detail(),
            "OUTCROP_SERVER_WORKERS: expected a whole number from 0 to 256, got \"x\"");
  EXPECT_EQ(apply_environment(c, with({{"OUTCROP_REGION_FILE", "/nonexistent"}})).error().detail(),
            "OUTCROP_REGION_FILE: cannot read /nonexistent");
}

class ConfigFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dir = fs::temp_directory_path() / ("outcrop-config-" + std::to_string(::getpid()));
    fs::create_directories(dir);
  }
  void TearDown() override { fs::remove_all(dir); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(dir / name) << text;
    return dir / name;
  }
  fs::path dir;
};

TEST_F(ConfigFileTest, SecretsFromFiles) {
  const std::string secret = write("secret", "s3cr3t\n");
  Config c;
  ASSERT_TRUE(apply_environment(c, with({{"OUTCROP_ROOT_ACCESS_KEY", "root"},
                                         {"OUTCROP_ROOT_SECRET_KEY_FILE", secret}}))
                  .has_value());
  EXPECT_EQ(c.root_secret_key, "s3cr3t");
}

TEST_F(ConfigFileTest, PathsAreRelativeToTheFile) {
  const std::string file = write("o.toml", "[storage]\ndrives = [\"d1/\", \"/abs//./x/\"]\n");
  const Result<Config> c = load_config(file, none());
  ASSERT_TRUE(c.has_value()) << c.error().detail();
  EXPECT_EQ(c->drives, (std::vector<std::string>{(dir / "d1").string(), "/abs/x"}));
  EXPECT_EQ(c->state_dir, dir.string());
}

TEST_F(ConfigFileTest, WhatOnlyTheWholeCanTell) {
  const auto whole = [&](const std::string& text, const Environment& env) {
    const Result<Config> c = load_config(write("o.toml", text), env);
    return c ? std::string("accepted") : std::string(c.error().detail());
  };
  const std::string at = (dir / "o.toml").string() + ": ";
  EXPECT_TRUE(whole("", none()).starts_with(at + "storage.drives: no drives"));
  const std::string drive = "[storage]\ndrives = [\"/d\"]\n";
  EXPECT_TRUE(whole(drive + "[server.tls]\ncert = \"c\"\n", none())
                  .starts_with(at + "server.tls.key: missing"));
  EXPECT_TRUE(
      whole(drive + "parity = 1\n", none()).starts_with(at + "storage.parity: must be less"));
  EXPECT_TRUE(whole("region = \"\"\n" + drive, none()).starts_with(at + "region: empty"));
  EXPECT_TRUE(whole(drive, with({{"OUTCROP_ROOT_ACCESS_KEY", "a"}})).starts_with(at + "set both"));
  EXPECT_EQ(whole(drive, none()), "accepted");
  EXPECT_TRUE(load_config(dir / "none.toml", none())
                  .error()
                  .detail()
                  .ends_with("none.toml: cannot read the file; give the path of an outcrop.toml"));
}

TEST(Config, Sizes) {
  EXPECT_EQ(parse_size("4096"), 4096u);
  EXPECT_EQ(parse_size("1KiB"), 1024u);
  EXPECT_EQ(parse_size("8TiB"), 8ull << 40);
  for (const char* bad : {"", "KiB", "1MB", "-1", "+1", "1 MiB", "1.5GiB", "9223372036854775807TiB",
                          "9223372036854775808"}) {
    EXPECT_EQ(parse_size(bad), std::nullopt) << bad;
  }
}

TEST(Config, HostPorts) {
  EXPECT_EQ(parse_host_port("[::1]:9000"), (HostPort{"::1", 9000}));
  for (const char* bad : {"", "9000", ":9000", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "::1:9000",
                          "[1.2.3.4]:9", "1.2.3.4:9x"}) {
    EXPECT_EQ(parse_host_port(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace outcrop::server
