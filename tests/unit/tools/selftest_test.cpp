#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "tools/selftest/checklist.h"
#include "tools/selftest/http_client.h"
#include "tools/selftest/nfs_checks.h"
#include "tools/selftest/run.h"
#include "tools/selftest/s3_checks.h"
#include "tools/selftest/sample.h"

namespace outcrop::selftest {
namespace {

TEST(Selftest, QueriesAreEncodedAndSortedAsTheSignatureWantsThem) {
  EXPECT_EQ(canonical_query({}), "");
  EXPECT_EQ(canonical_query({{"uploads", ""}}), "uploads=");
  EXPECT_EQ(canonical_query({{"prefix", "a/b &"}, {"list-type", "2"}, {"a", "ü"}}),
            "a=%C3%BC&list-type=2&prefix=a%2Fb%20%26");
}

TEST(Selftest, TextsOfXmlHaveTheirEntitiesResolved) {
  const std::string xml =
      "<L><Key>a&amp;&lt;b&gt;</Key><Key></Key><Key>c</Key><Other>d</Other></L>";
  EXPECT_EQ(xml_texts(xml, "Key"), (std::vector<std::string>{"a&<b>", "", "c"}));
  EXPECT_TRUE(xml_texts(xml, "None").empty());
  EXPECT_EQ(xml_texts("<Key>" + xml_escape("<&>") + "</Key>", "Key").at(0), "<&>");
  EXPECT_EQ(xml_texts("<Key>cut off", "Key").at(0), "cut off");
}

TEST(Selftest, PlacesOfNfs) {
  const auto place = [](const std::string& text) {
    const auto parsed = parse_nfs_place(text);
    return parsed ? parsed->host + " " + std::to_string(parsed->port) + " " + parsed->path : "-";
  };
  EXPECT_EQ(place("nas:2049"), "nas 2049 ");
  EXPECT_EQ(place("nas:2049/"), "nas 2049 ");
  EXPECT_EQ(place("10.0.0.1:20490/a/b"), "10.0.0.1 20490 /a/b");
  EXPECT_EQ(place("[::1]:2049/a"), "::1 2049 /a");
  for (const char* wrong : {"", "nas", "nas:", "nas:0", "nas:65536", "nas:x", ":2049", "nas/a:2049",
                            "[::1:2049", "nas:2049x/a"}) {
    EXPECT_EQ(place(wrong), "-") << wrong;
  }
}

TEST(Selftest, AnAnswerThatDiffersSaysWhatWasExpectedAndWhatCame) {
  Reply reply;
  reply.status = 404;
  reply.body = "<Error><Code>NoSuchKey</Code></Error>";
  EXPECT_TRUE(expect("GET", reply, 404));
  EXPECT_TRUE(expect("GET", reply, 404, "NoSuchKey"));
  EXPECT_EQ(expect("GET", reply, 404, "NoSuchBucket").error().detail(),
            "GET: expected 404 NoSuchBucket, got 404 NoSuchKey");
  EXPECT_EQ(expect("GET", reply, 200).error().detail(), "GET: expected 200, got 404 NoSuchKey");
  EXPECT_TRUE(expect_equal("x", "a", "a"));
  const auto longer = expect_equal("x", "a\nb", std::string(1000, 'y'));
  EXPECT_NE(longer.error().detail().find("expected a b, got yyy"), std::string::npos);
  EXPECT_NE(longer.error().detail().find("(1000 bytes)"), std::string::npos);
  EXPECT_EQ(expect_equal("x", "\x7f", "\xad\xff").error().detail(), "x: expected ?, got ??");
}

Task<> passes() { co_return ok(); }
Task<> fails() { co_return differs("it", "one thing", "another"); }
Task<> must_not_run(bool& ran) {
  ran = true;
  co_return ok();
}

Task<> use(Checklist& list, Stopper& stopper, bool& ran) {
  EXPECT_TRUE(co_await list.run("good", passes()));
  EXPECT_FALSE(co_await list.run("bad", fails()));
  stopper.stop("time is up");
  EXPECT_FALSE(co_await list.run("late", must_not_run(ran)));
  stopper.go_on();
  list.skip_rest("no bucket");
  EXPECT_FALSE(co_await list.run("later", must_not_run(ran)));
  EXPECT_TRUE(co_await list.run_always("clean up", passes()));
  co_return ok();
}

TEST(Selftest, ChecksAreSkippedOnceItIsStopped) {
  Stopper stopper;
  int stops = 0;
  bool ran = false;
  stopper.on_stop([&stops] { ++stops; });
  std::string told;
  Checklist list(stopper, [&told](const Outcome& o) { told += o.name + ":" + o.why + ";"; });
  ASSERT_TRUE(run_sync(use(list, stopper, ran)));
  EXPECT_FALSE(ran);
  EXPECT_EQ(stops, 1);
  EXPECT_EQ(told,
            "good:;bad:it: expected one thing, got another;late:time is up;later:no bucket;"
            "clean up:;");
  EXPECT_EQ(list.count(Verdict::pass), 2U);
  EXPECT_EQ(list.count(Verdict::fail), 1U);
  EXPECT_EQ(list.count(Verdict::skipped), 2U);
}

/// Takes one connection and denies every call, until the other side ends it.
class Refuser {
 public:
  Refuser() : x_listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    x_address.sin_family = AF_INET;
    x_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof x_address;
    auto* const at = reinterpret_cast<sockaddr*>(&x_address);
    EXPECT_EQ(::bind(x_listener, at, size), 0);
    EXPECT_EQ(::listen(x_listener, 1), 0);
    EXPECT_EQ(::getsockname(x_listener, at, &size), 0);
    x_thread = std::thread([this] { serve(); });
  }
  ~Refuser() {
    ::shutdown(x_listener, SHUT_RDWR);  // when nobody came
    x_thread.join();
    ::close(x_listener);
  }
  unsigned port() const { return ntohs(x_address.sin_port); }

 private:
  void serve() const {
    const int fd = ::accept(x_listener, nullptr, nullptr);
    std::array<std::uint32_t, 2> head{};  // record mark, xid
    const auto head_size = static_cast<ssize_t>(sizeof head);
    while (::recv(fd, head.data(), sizeof head, MSG_WAITALL) == head_size) {
      std::string rest((ntohl(head[0]) & 0x7fff'ffff) - 4, '\0');
      EXPECT_EQ(::recv(fd, rest.data(), rest.size(), MSG_WAITALL),
                static_cast<ssize_t>(rest.size()));
      // REPLY, MSG_DENIED, RPC_MISMATCH, from 2 to 2 (RFC 5531 section 9)
      const std::array<std::uint32_t, 7> reply{
          htonl(0x8000'0000 | 24), head[1], htonl(1), htonl(1), htonl(0), htonl(2), htonl(2)};
      EXPECT_EQ(::send(fd, reply.data(), sizeof reply, MSG_NOSIGNAL),
                static_cast<ssize_t>(sizeof reply));
    }
    ::close(fd);
  }

  const int x_listener;
  sockaddr_in x_address{};
  std::thread x_thread;
};

TEST(Selftest, CleaningUpEndsWhenTheServerDoesNotLetItIn) {
  Refuser server;
  Stopper stopper;
  asio::io_context io(1);
  bench::Options options;
  options.endpoint = bench::parse_endpoint("http://127.0.0.1:1").value();
  const auto target = bench::Target::make(options);
  ASSERT_TRUE(target);
  HttpClient client(*target, options, stopper, io.get_executor());
  S3Checks s3(client, "bucket", "region");
  NfsPlace place;
  place.host = "127.0.0.1";
  place.port = server.port();
  place.path = "/export";
  NfsChecks nfs(place, "folder", s3, stopper);
  EXPECT_FALSE(run_on(io, nfs.clean_up(io.get_executor())));
}

TEST(Selftest, SamplesDifferByLengthAndPlace) {
  EXPECT_NE(sample(100), sample(101).substr(0, 100));
  EXPECT_NE(sample(4096).substr(0, 64), sample(4096).substr(64, 64));
  EXPECT_EQ(sample(4096), sample(4096));
}

}  // namespace
}  // namespace outcrop::selftest
