// The HTTPS client that fetches keys, against a live server: whom it believes, and how much it
// takes.
#include "server/oidc_fetch.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>
#include <filesystem>

#include "server/tls.h"
#include "storage/digest/text.h"
#include "tests/unit/server/live_server.h"

namespace outcrop::server::testing {
namespace {

namespace fs = std::filesystem;

/// An authority, and a certificate of it for 127.0.0.1, which is shown together with the
/// authority's.
class OidcFetchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dir = fs::temp_directory_path() / ("outcrop-fetch-" + std::to_string(::getpid()));
    fs::create_directories(dir);
    const std::string key = " -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes ";
    const std::string commands =
        "cd " + dir.string() + " && exec 2>/dev/null && openssl req -x509" + key +
        "-days 1 -subj /CN=authority -keyout ca.key -out ca.pem && openssl req -x509" + key +
        "-days 1 -subj /CN=other -keyout other.key -out other.pem && openssl req" + key +
        "-subj /CN=server -keyout server.key -out server.csr && "
        "printf 'subjectAltName=IP:127.0.0.1' > names && "
        "openssl x509 -req -days 1 -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial "
        "-extfile names -out leaf.pem && cat leaf.pem ca.pem > chain.pem";
    ASSERT_EQ(std::system(commands.c_str()), 0);
    server = std::make_unique<LiveServer>(
        HttpOptions{}, make_tls_context(file("chain.pem"), file("server.key")).value());
  }
  void TearDown() override { fs::remove_all(dir); }

  std::string file(const std::string& name) const { return dir / name; }
  std::string thumbprint(const std::string& name) const {
    BIO* const in = BIO_new_file(file(name).c_str(), "r");
    X509* const certificate = PEM_read_bio_X509(in, nullptr, nullptr, nullptr);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EXPECT_EQ(X509_digest(certificate, EVP_sha1(), digest, &size), 1);
    X509_free(certificate);
    BIO_free(in);
    return digest::to_hex(std::as_bytes(std::span(digest, size)));
  }
  Result<std::string> get(const std::string& path,
                          FetchTrust trust,
                          const std::string& host = "127.0.0.1") {
    return run_sync(
        fetcher.get("https://" + host + ":" + std::to_string(server->port()) + path, trust));
  }
  bool believed(const FetchTrust& trust, const std::string& host = "127.0.0.1") {
    const Result<std::string> got = get("/hello", trust, host);
    EXPECT_TRUE(!got || *got == "/hello");
    return got.has_value();
  }

  BlockingPool pool{0};
  OidcFetcher fetcher{pool};
  fs::path dir;
  std::unique_ptr<LiveServer> server;
};

TEST_F(OidcFetchTest, WhomItBelieves) {
  EXPECT_TRUE(believed({.ca_file = file("ca.pem")}));
  EXPECT_FALSE(believed({.ca_file = file("other.pem")}));
  EXPECT_FALSE(believed({.ca_file = file("missing.pem")}));
  EXPECT_FALSE(believed({}));                                        // nobody's authority
  EXPECT_FALSE(believed({.ca_file = file("ca.pem")}, "localhost"));  // for another name
  EXPECT_FALSE(believed({.ca_file = file("ca.pem"), .public_only = true}));
}

TEST_F(OidcFetchTest, ThumbprintsMakeGoodForAnAuthorityAndNothingElse) {
  const std::string authority = thumbprint("ca.pem"), other = thumbprint("other.pem");
  std::string upper = authority;
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return std::toupper(c); });
  EXPECT_TRUE(believed({.thumbprints = {authority}}));
  EXPECT_TRUE(believed({.thumbprints = {other, upper}}));
  EXPECT_FALSE(believed({.thumbprints = {other}}));
  EXPECT_FALSE(believed({.thumbprints = {""}}));
  EXPECT_FALSE(believed({.thumbprints = {authority}}, "localhost"));
  // A certificate that nobody has signed but its own key.
  server = std::make_unique<LiveServer>(
      HttpOptions{}, make_tls_context(file("other.pem"), file("other.key")).value());
  EXPECT_FALSE(believed({.thumbprints = {authority}}));
  EXPECT_FALSE(believed({.thumbprints = {other}}));  // it has no name of this server
}

TEST_F(OidcFetchTest, HowMuchItTakes) {
  const FetchTrust trust{.ca_file = file("ca.pem")};
  EXPECT_EQ(get("/gen/" + std::to_string(kMaxFetchBytes), trust)->size(), kMaxFetchBytes);
  EXPECT_EQ(get("/gen/" + std::to_string(kMaxFetchBytes + 1), trust).error().code(),
            Errc::entity_too_large);
  for (const char* status : {"204", "301", "302", "307", "401", "404", "500"}) {
    EXPECT_FALSE(get("/status/" + std::string(status), trust)) << status;
  }
}

/// What the fetcher makes of one answer over plain TCP, after which the server closes.
Result<std::string> answered(const std::string& answer) {
  asio::io_context io;
  asio::ip::tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
  std::thread once([&] {
    asio::ip::tcp::socket socket(io);
    acceptor.accept(socket);
    std::string head;
    asio::read_until(socket, asio::dynamic_buffer(head), "\r\n\r\n");
    asio::write(socket, asio::buffer(answer));
  });
  BlockingPool pool(0);
  OidcFetcher fetcher(pool);
  const std::string port = std::to_string(acceptor.local_endpoint().port());
  Result<std::string> got = run_sync(fetcher.get("http://127.0.0.1:" + port + "/keys", {}));
  once.join();
  return got;
}

TEST(OidcFetch, OnlyWholeAnswersCount) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  EXPECT_EQ(*answered(ok + "Content-Length: 2\r\n\r\nab"), "ab");
  EXPECT_EQ(*answered(ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"), "ab");
  for (const std::string& cut :
       {ok + "Content-Length: 3\r\n\r\nab", ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
        ok + "Content-Length: 2\r\n", ok, std::string(), std::string("no HTTP at all\r\n\r\n"),
        ok + "A: " + std::string(20'000, 'a') + "\r\nContent-Length: 2\r\n\r\nab"}) {
    EXPECT_FALSE(answered(cut)) << cut.substr(0, 60);
  }
}

TEST_F(OidcFetchTest, StopEndsWhatIsUnderWay) {
  asio::io_context io;
  Result<std::string> got;
  const std::string url = "https://127.0.0.1:" + std::to_string(server->port()) + "/hold";
  asio::co_spawn(io.get_executor(), fetcher.get(url, {.ca_file = file("ca.pem")}),
                 [&](const std::exception_ptr&, Result<std::string> r) { got = std::move(r); });
  std::thread stopper([&] {
    EXPECT_TRUE(eventually([&] { return server->calls() > 0; }));
    fetcher.stop();
  });
  io.run();
  stopper.join();
  EXPECT_FALSE(got);
  server->gate().open();
}

}  // namespace
}  // namespace outcrop::server::testing
