// TLS on a live socket with a certificate made by the openssl tool, and the errors of bad files.
#include "server/tls.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/unit/server/live_server.h"

namespace outcrop::server::testing {
namespace {

namespace fs = std::filesystem;
namespace ssl = asio::ssl;

class TlsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dir = fs::temp_directory_path() / ("outcrop-tls-" + std::to_string(::getpid()));
    fs::create_directories(dir);
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 "
        "-subj /CN=localhost -keyout " +
        key() + " -out " + cert() + " 2>/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0);
  }
  void TearDown() override { fs::remove_all(dir); }
  std::string cert() const { return dir / "cert.pem"; }
  std::string key() const { return dir / "key.pem"; }
  fs::path dir;
};

using Stream = ssl::stream<asio::ip::tcp::socket>;

std::string request(Stream& stream, const std::string& bytes, std::size_t body) {
  asio::write(stream, asio::buffer(bytes));
  std::string all;
  char c = 0;
  while (!all.ends_with("\r\n\r\n")) {
    asio::read(stream, asio::buffer(&c, 1));
    all.push_back(c);
  }
  std::string rest(body, '\0');
  asio::read(stream, asio::buffer(rest));
  return rest;
}

TEST_F(TlsTest, RoundTrip) {
  Result<std::shared_ptr<ssl::context>> context = make_tls_context(cert(), key());
  ASSERT_TRUE(context.has_value()) << context.error().describe();
  LiveServer server({}, *context);
  ssl::context client_context(ssl::context::tls_client);
  client_context.load_verify_file(cert());
  client_context.set_verify_mode(ssl::verify_peer);
  asio::io_context io;
  Stream stream(io, client_context);
  stream.next_layer().connect({asio::ip::address_v4::loopback(), server.port()});
  stream.handshake(ssl::stream_base::client);
  EXPECT_EQ(request(stream, "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n", 6), "/hello");
  const std::string big =
      request(stream, "GET /gen/3000000 HTTP/1.1\r\nHost: h\r\n\r\n", 3'000'000);
  for (std::size_t i = 0; i < big.size(); i += 999) {
    ASSERT_EQ(big[i], pattern(i));
  }
  EXPECT_EQ(
      request(stream, "PUT /sink HTTP/1.1\r\nHost: h\r\nContent-Length: 3000000\r\n\r\n" + big, 9),
      "3000000 0");
}

// Without it a client cannot tell the end of what it gets from a cut.
TEST_F(TlsTest, TheEndIsSaid) {
  LiveServer server({}, make_tls_context(cert(), key()).value());
  ssl::context client_context(ssl::context::tls_client);
  asio::io_context io;
  Stream stream(io, client_context);
  stream.next_layer().connect({asio::ip::address_v4::loopback(), server.port()});
  stream.handshake(ssl::stream_base::client);
  EXPECT_EQ(request(stream, "GET /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 6),
            "/hello");
  char c = 0;
  boost::system::error_code ec;
  EXPECT_EQ(stream.read_some(asio::buffer(&c, 1), ec), 0U);
  EXPECT_EQ(ec, asio::error::eof) << ec.message();
}

TEST_F(TlsTest, AClientThatNeverSaysTheEndIsNotWaitedForLong) {
  HttpOptions options;
  options.linger_timeout = std::chrono::milliseconds(100);
  LiveServer server(options, make_tls_context(cert(), key()).value());
  ssl::context client_context(ssl::context::tls_client);
  asio::io_context io;
  Stream stream(io, client_context);
  stream.next_layer().connect({asio::ip::address_v4::loopback(), server.port()});
  stream.handshake(ssl::stream_base::client);
  EXPECT_EQ(request(stream, "GET /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 6),
            "/hello");
  EXPECT_TRUE(eventually([&] { return server.counters().connections.get() == 0U; }));
}

TEST_F(TlsTest, Below12IsRefused) {
  LiveServer server({}, make_tls_context(cert(), key()).value());
  ssl::context old(ssl::context::tls_client);
  SSL_CTX_set_max_proto_version(old.native_handle(), TLS1_1_VERSION);
  SSL_CTX_set_security_level(old.native_handle(), 0);
  asio::io_context io;
  Stream stream(io, old);
  stream.next_layer().connect({asio::ip::address_v4::loopback(), server.port()});
  boost::system::error_code ec;
  stream.handshake(ssl::stream_base::client, ec);
  EXPECT_TRUE(ec.failed());
}

TEST_F(TlsTest, PlainTextOnATlsPortIsClosed) {
  LiveServer server({}, make_tls_context(cert(), key()).value());
  RawClient client(server.port());
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.until_closed().find("HTTP"), std::string::npos);
  EXPECT_EQ(server.calls(), 0);
}

TEST_F(TlsTest, ErrorsNameTheKeyAndTheFile) {
  const auto detail = [](const auto& r) { return std::string(r.error().detail()); };
  const std::string none = dir / "none.pem";
  EXPECT_TRUE(detail(make_tls_context(none, key())).starts_with("server.tls.cert: cannot read"));
  EXPECT_TRUE(detail(make_tls_context(cert(), none)).starts_with("server.tls.key: cannot read"));
  EXPECT_TRUE(detail(make_tls_context(key(), key())).starts_with("server.tls.cert: " + key()));
  const std::string junk = dir / "junk.pem";
  std::ofstream(junk) << "junk\n";
  EXPECT_TRUE(detail(make_tls_context(cert(), junk)).starts_with("server.tls.key: " + junk));
  const std::string other = dir / "other.pem";
  ASSERT_EQ(
      std::system(("openssl genpkey -algorithm ED25519 -out " + other + " 2>/dev/null").c_str()),
      0);
  EXPECT_FALSE(make_tls_context(cert(), other).has_value());
}

}  // namespace
}  // namespace outcrop::server::testing
