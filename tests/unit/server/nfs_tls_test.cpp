// RPC-with-TLS (RFC 9289): the probe, the handshake on the same connection, client certificates.
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "server/tls.h"
#include "tests/unit/server/live_nfs.h"

namespace outcrop::server::testing {
namespace {

namespace fs = std::filesystem;

std::string probe(std::uint32_t xid) {
  return nfs::testing::marked(
      nfs::testing::call_bytes({.xid = xid, .program = kTestProgram, .version = 1, .flavor = 7}));
}

/// What an OpenSSL client sees behind a STARTTLS reply.
class TlsClient {
 public:
  struct Options {
    std::string alpn = std::string("\x06sunrpc");
    int version = TLS1_3_VERSION;
    std::string cert, key;
  };
  TlsClient(RawClient& raw, const Options& options) {
    x_context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(x_context, options.version);
    if (!options.cert.empty()) {
      SSL_CTX_use_certificate_file(x_context, options.cert.c_str(), SSL_FILETYPE_PEM);
      SSL_CTX_use_PrivateKey_file(x_context, options.key.c_str(), SSL_FILETYPE_PEM);
    }
    x_ssl = SSL_new(x_context);
    SSL_set_alpn_protos(x_ssl, reinterpret_cast<const unsigned char*>(options.alpn.data()),
                        static_cast<unsigned>(options.alpn.size()));
    SSL_set_fd(x_ssl, raw.fd());
    x_connected = repeat([&] { return SSL_connect(x_ssl); }) == 1;
  }
  ~TlsClient() {
    SSL_free(x_ssl);
    SSL_CTX_free(x_context);
  }
  TlsClient(const TlsClient&) = delete;

  bool connected() const { return x_connected; }
  std::string protocol() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(x_ssl, &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }
  void send(const std::string& bytes) {
    repeat([&] { return SSL_write(x_ssl, bytes.data(), static_cast<int>(bytes.size())); });
  }
  std::string read_exact(std::size_t n) {
    std::string out(n, '\0');
    std::size_t at = 0;
    while (at < n) {
      const int got =
          repeat([&] { return SSL_read(x_ssl, out.data() + at, static_cast<int>(n - at)); });
      if (got <= 0) {
        break;
      }
      at += static_cast<std::size_t>(got);
    }
    out.resize(at);
    return out;
  }
  /// The results of the next reply, behind its 24 bytes of header.
  std::string results() {
    const std::string mark = read_exact(4);
    nfs::XdrReader in(as_bytes(mark));
    const std::string record = read_exact(in.u32() & 0x7fff'ffff);
    return record.size() < 24 ? "" : record.substr(24);
  }

 private:
  /// A process that was stopped finds its blocking calls interrupted: signal(7).
  template <class Fn>
  static int repeat(Fn fn) {
    int got = 0;
    do {
      errno = 0;
      got = fn();
    } while (got <= 0 && errno == EINTR);
    return got;
  }
  SSL_CTX* x_context = nullptr;
  SSL* x_ssl = nullptr;
  bool x_connected = false;
};

class NfsTls : public ::testing::Test {
 protected:
  void SetUp() override {
    dir = fs::temp_directory_path() / ("outcrop-nfs-tls-" + std::to_string(::getpid()));
    fs::create_directories(dir);
    make("server", "");
    make("ca", "");
    make("client", "-CA " + file("ca.pem") + " -CAkey " + file("ca.key"));
    make("stranger", "");
  }
  void TearDown() override { fs::remove_all(dir); }
  std::string file(const std::string& name) const { return dir / name; }
  void make(const std::string& name, const std::string& issuer) {
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=" +
        name + " -keyout " + file(name + ".key") + " -out " + file(name + ".pem") + " " + issuer +
        " 2>/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }
  std::shared_ptr<asio::ssl::context> context(bool with_ca) {
    auto made =
        make_nfs_tls_context(file("server.pem"), file("server.key"), with_ca ? file("ca.pem") : "");
    EXPECT_TRUE(made.has_value()) << made.error().describe();
    return *made;
  }
  fs::path dir;
};

void expect_starttls(RawClient& client) {
  client.send(probe(5));
  EXPECT_EQ(client.read_exact(36), std::string("\x80\0\0\x20\0\0\0\5\0\0\0\1\0\0\0\0\0\0\0\0"
                                               "\0\0\0\x08STARTTLS\0\0\0\0",
                                               36));
}

TEST_F(NfsTls, HandshakeOnTheSameConnection) {
  LiveNfs server({}, context(false));
  RawClient raw(server.port());
  raw.send(call(1, 0));
  EXPECT_EQ(next_reply(raw).status, 0u);
  expect_starttls(raw);
  TlsClient client(raw, {});
  ASSERT_TRUE(client.connected());
  EXPECT_EQ(client.protocol(), "sunrpc");
  client.send(call(2, kEcho, opaque("x")));
  EXPECT_EQ(client.results(), opaque("x") + number(1) + opaque(""));
  // Batches and large replies go through TLS just the same.
  client.send(call(3, kEcho) + call(4, kReadLate, number(300'000)));
  EXPECT_EQ(client.results(), opaque("") + number(1) + opaque(""));
  EXPECT_EQ(client.results().size(), 300'004u);
  // A second probe inside TLS makes no sense.
  client.send(probe(6));
  EXPECT_EQ(client.read_exact(24).size(), 24u);
  EXPECT_EQ(server.counters().tls_handshakes.get(), 1u);
}

TEST_F(NfsTls, ClientCertificates) {
  LiveNfs server({}, context(true));
  const auto name_seen = [&](const std::string& who) {
    RawClient raw(server.port());
    expect_starttls(raw);
    TlsClient::Options options;
    if (!who.empty()) {
      options.cert = file(who + ".pem");
      options.key = file(who + ".key");
    }
    TlsClient client(raw, options);
    client.send(call(1, kEcho));
    return client.results();
  };
  EXPECT_EQ(name_seen("client"), opaque("") + number(1) + opaque("CN=client"));
  EXPECT_EQ(name_seen(""), opaque("") + number(1) + opaque(""));  // exports decide
  EXPECT_EQ(name_seen("stranger"), "");  // a certificate of nobody we trust
  EXPECT_TRUE(eventually([&] { return server.counters().tls_failures.get() == 1; }));
}

TEST_F(NfsTls, WithoutAnAuthorityNoNameIsTaken) {
  LiveNfs server({}, context(false));
  RawClient raw(server.port());
  expect_starttls(raw);
  TlsClient::Options options;
  options.cert = file("client.pem");
  options.key = file("client.key");
  TlsClient client(raw, options);
  client.send(call(1, kEcho));
  EXPECT_EQ(client.results(), opaque("") + number(1) + opaque(""));
}

TEST_F(NfsTls, OldVersionsAndOtherProtocolsAreRefused) {
  LiveNfs server({}, context(false));
  TlsClient::Options old;
  old.version = TLS1_2_VERSION;
  TlsClient::Options other;
  other.alpn = "\x02h2";
  for (const TlsClient::Options& options : {old, other}) {
    RawClient raw(server.port());
    expect_starttls(raw);
    TlsClient client(raw, options);
    client.send(call(1, kEcho));
    EXPECT_EQ(client.results(), "");
  }
  EXPECT_TRUE(eventually([&] { return server.counters().tls_failures.get() == 2; }));
  EXPECT_EQ(server.program().calls(), 0);
}

TEST_F(NfsTls, PlainBytesBehindTheProbeAreNotServed) {
  LiveNfs server({}, context(false));
  RawClient raw(server.port());
  raw.send(probe(5) + call(6, kEcho, opaque("injected")));
  EXPECT_EQ(raw.until_closed().size(), 36u);
  EXPECT_EQ(server.program().calls(), 0);
  EXPECT_EQ(server.counters().tls_failures.get(), 1u);
}

TEST_F(NfsTls, WithoutACertificateTheProbeIsRefused) {
  LiveNfs server;
  RawClient raw(server.port());
  raw.send(probe(5));
  const RpcReply r = next_reply(raw);
  EXPECT_EQ(r.xid, 5u);
  EXPECT_EQ(r.status, UINT32_MAX);
  raw.send(call(6, kEcho));
  EXPECT_EQ(next_reply(raw).status, 0u);
}

TEST_F(NfsTls, ASlowHandshakeIsCutOff) {
  NfsOptions o;
  o.record_timeout = std::chrono::milliseconds(200);
  LiveNfs server(o, context(false));
  RawClient raw(server.port());
  expect_starttls(raw);
  EXPECT_EQ(raw.until_closed(), "");
}

TEST_F(NfsTls, BadFiles) {
  const auto missing = make_nfs_tls_context(file("none.pem"), file("server.key"), "");
  ASSERT_FALSE(missing.has_value());
  EXPECT_TRUE(missing.error().detail().starts_with("nfs.tls.cert: cannot read "));
  const auto not_ca =
      make_nfs_tls_context(file("server.pem"), file("server.key"), file("server.key"));
  ASSERT_FALSE(not_ca.has_value());
  EXPECT_TRUE(not_ca.error().detail().starts_with("nfs.tls.client_ca: "));
}

}  // namespace
}  // namespace outcrop::server::testing
