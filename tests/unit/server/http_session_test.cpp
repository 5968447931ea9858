// The session on a live socket: keep-alive, pipelining, 100 Continue, bodies both ways.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "tests/unit/server/live_server.h"

namespace outcrop::server::testing {
namespace {

using namespace std::chrono_literals;

std::string get(const std::string& target, const std::string& fields = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}
std::string put(const std::string& target,
                const std::string& body,
                const std::string& fields = "") {
  return "PUT " + target +
         " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         fields + "\r\n" + body;
}
std::string generated(std::uint64_t n) {
  std::string out(n, '\0');
  for (std::uint64_t i = 0; i < n; ++i) {
    out[i] = pattern(i);
  }
  return out;
}

TEST(HttpSession, KeepAliveAndCommonFields) {
  LiveServer server;
  RawClient client(server.port());
  std::string last_id;
  for (int i = 0; i < 3; ++i) {
    client.send(get("/a?b=c"));
    const Reply r = client.reply();
    EXPECT_EQ(r.status, 200);
    EXPECT_EQ(r.body, "/a?b=c");
    EXPECT_TRUE(r.field("Date").ends_with(" GMT"));
    EXPECT_EQ(r.field("Server"), "Outcrop");
    EXPECT_EQ(r.field("x-amz-request-id").size(), 16u);
    EXPECT_NE(r.field("x-amz-request-id"), last_id);
    last_id = r.field("x-amz-request-id");
    EXPECT_EQ(r.field("Connection"), "");
  }
  EXPECT_TRUE(eventually([&] { return server.counters().accepted.get() == 1u; }));
}

TEST(HttpSession, ConnectionCloseIsHonoured) {
  LiveServer server;
  RawClient client(server.port());
  client.send(get("/", "Connection: close\r\n"));
  EXPECT_EQ(client.reply().field("Connection"), "close");
  EXPECT_EQ(client.until_closed(), "");
  EXPECT_FALSE(client.closed_by_reset());
}

TEST(HttpSession, Http10) {
  LiveServer server;
  RawClient once(server.port());
  once.send("GET /x HTTP/1.0\r\n\r\n");
  EXPECT_EQ(once.reply().body, "/x");
  EXPECT_EQ(once.until_closed(), "");
  RawClient kept(server.port());
  for (int i = 0; i < 2; ++i) {
    kept.send("GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(kept.reply().field("Connection"), "keep-alive");
  }
}

TEST(HttpSession, Rule24_PipelinedRequestsAreAnsweredInOrder) {
  LiveServer server;
  RawClient client(server.port());
  client.send(get("/1") + put("/echo", "two") + get("/gen/5000") + get("/4"));
  EXPECT_EQ(client.reply().body, "/1");
  EXPECT_EQ(client.reply().body, "two");
  EXPECT_EQ(client.reply().body, generated(5000));
  EXPECT_EQ(client.reply().body, "/4");
}

TEST(HttpSession, HeadArrivingByteByByte) {
  LiveServer server;
  RawClient client(server.port());
  for (const char c : put("/echo", "abc")) {
    client.send({&c, 1});
  }
  EXPECT_EQ(client.reply().body, "abc");
}

TEST(HttpSession, Rule01_ExpectContinueIsAnsweredByWhoReads) {
  LiveServer server;
  RawClient client(server.port());
  for (const char* body : {"hello", ""}) {
    const std::string request = put("/echo", body, "Expect: 100-continue\r\n");
    const std::size_t head = request.find("\r\n\r\n") + 4;
    client.send(request.substr(0, head));
    EXPECT_EQ(client.read_exact(25), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send(request.substr(head));
    EXPECT_EQ(client.reply().body, body);
  }
  // In a chunked body, too.
  client.send(
      "PUT /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
      "Expect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_exact(25), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("3\r\nabc\r\n0\r\n\r\n");
  EXPECT_EQ(client.reply().body, "abc");
  // No body and nobody who reads: the 100 comes all the same, and the connection stays.
  client.send(
      "PUT /ignore HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_exact(25), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(client.reply().status, 200);
  client.send(get("/next"));
  EXPECT_EQ(client.reply().body, "/next");
}

TEST(HttpSession, Rule02_AnAnswerInsteadOf100EndsTheConnection) {
  LiveServer server;
  RawClient client(server.port());
  // Not asked for, even though it is small: it may come or not, so nothing can follow.
  client.send(
      "PUT /ignore HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  const Reply refused = client.reply();
  EXPECT_EQ(refused.status, 200);
  EXPECT_EQ(refused.field("Connection"), "close");
  client.send("abc");
  EXPECT_EQ(client.until_closed(), "");
}

TEST(HttpSession, LargeUnreadBodyClosesAfterTheAnswer) {
  LiveServer server;
  RawClient client(server.port());
  // Rule 2: a final answer without reading the body ends the connection, and says so.
  client.send("PUT /ignore HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n");
  client.send(std::string(500'000, 'x'));
  const Reply r = client.reply();
  EXPECT_EQ(r.status, 200);
  EXPECT_EQ(r.field("Connection"), "close");
  EXPECT_EQ(client.until_closed(), "");
  EXPECT_FALSE(client.closed_by_reset());
}

TEST(HttpSession, ChunkedBodies) {
  LiveServer server;
  RawClient client(server.port());
  const std::string head = "PUT /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  client.send(head + "5\r\nhello\r\n1;x=y\r\n!\r\n0\r\nX-T: 1\r\n\r\n" + get("/behind"));
  EXPECT_EQ(client.reply().body, "hello!");
  EXPECT_EQ(client.reply().body, "/behind");
  const std::string big = generated(300'000);
  std::string framed;
  for (std::size_t at = 0; at < big.size(); at += 64 * 1024) {
    const std::string piece = big.substr(at, 64 * 1024);
    std::array<char, 32> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", piece.size());
    framed += size.data() + piece + "\r\n";
  }
  client.send("PUT /sink HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + framed +
              "0\r\n\r\n");
  EXPECT_EQ(client.reply().body, "300000 0");
  client.send(
      "PUT /ignore HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  EXPECT_EQ(client.reply().status, 200);
  client.send(get("/alive"));
  EXPECT_EQ(client.reply().body, "/alive");
}

TEST(HttpSession, HeadHasLengthAndNoBody) {
  LiveServer server;
  RawClient client(server.port());
  for (const char* target : {"/gen/123456", "/four"}) {
    client.send("HEAD " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n\r\n");
    const Reply r = client.reply(true);
    EXPECT_EQ(r.status, 200);
    EXPECT_EQ(r.field("Content-Length"), target == std::string("/four") ? "5" : "123456");
  }
  client.send(get("/next"));
  EXPECT_EQ(client.reply().body, "/next");
}

TEST(HttpSession, NoContentAndNotModifiedHaveNoBody) {
  LiveServer server;
  RawClient client(server.port());
  for (const char* status : {"204", "304"}) {
    client.send(get("/status/" + std::string(status)));
    const Reply r = client.reply();
    EXPECT_EQ(std::to_string(r.status), status);
    EXPECT_EQ(r.field("Content-Length"), "");
  }
  client.send(get("/status/404"));
  EXPECT_EQ(client.reply().field("Content-Length"), "21");
  client.send("HEAD /status/404 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.reply(true).status, 404);
  client.send(get("/gen/0"));
  EXPECT_EQ(client.reply().field("Content-Length"), "0");
}

TEST(HttpSession, LargeBodiesBothWays) {
  LiveServer server;
  RawClient client(server.port());
  const std::string body = generated(20'000'001);
  client.send(put("/sink", body));
  EXPECT_EQ(client.reply().body, "20000001 0");
  client.send(get("/gen/20000001"));
  EXPECT_TRUE(client.reply().body == body);
  client.send(get("/alive"));
  EXPECT_EQ(client.reply().status, 200);
  EXPECT_TRUE(eventually([&] { return server.counters().bytes_in.get() == 20'000'001u; }));
  EXPECT_TRUE(eventually([&] { return server.budget().in_use() == 0u; }));
}

TEST(HttpSession, SlowReaderGetsEverything) {
  LiveServer server;
  RawClient client(server.port());
  client.send(get("/gen/12000000"));
  std::string all;
  for (int i = 0; i < 20; ++i) {
    all += client.read_exact(100'000);
    std::this_thread::sleep_for(2ms);  // time is the input: a client that reads slowly
  }
  all += client.read_exact(12'000'000 - (all.size() - (all.find("\r\n\r\n") + 4)));
  EXPECT_TRUE(all.substr(all.find("\r\n\r\n") + 4) == generated(12'000'000));
}

TEST(HttpSession, SourceErrorResetsTheConnection) {
  LiveServer server;
  RawClient client(server.port());
  client.send(get("/gen-fail/8000000"));
  const std::string all = client.until_closed();
  EXPECT_LT(all.size(), 8'000'000u);
  EXPECT_TRUE(client.closed_by_reset());
}

TEST(HttpSession, SourceErrorBeforeTheFirstByteIs500) {
  LiveServer server;
  const Reply r = exchange(server.port(), get("/gen-fail/1"));
  EXPECT_EQ(r.status, 500);
  EXPECT_EQ(r.field("Connection"), "close");
}

TEST(HttpSession, HandlerExceptionIs500AndTheConnectionGoesOn) {
  LiveServer server;
  RawClient client(server.port());
  client.send(get("/throw"));
  EXPECT_EQ(client.reply().status, 500);
  client.send(get("/next"));
  EXPECT_EQ(client.reply().body, "/next");
}

TEST(HttpSession, HandlerCannotInjectFields) {
  LiveServer server;
  const Reply r = exchange(server.port(), get("/inject"));
  EXPECT_EQ(r.field("Set-Cookie"), "");
  EXPECT_EQ(r.field("X-Echo"), "a  Set-Cookie: b");
}

TEST(HttpSession, ClientLeavingInsideABodyLeavesTheServerWell) {
  LiveServer server;
  for (int i = 0; i < 20; ++i) {
    RawClient up(server.port());
    up.send("PUT /sink HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nsome");
    RawClient down(server.port());
    down.send(get("/gen/8000000"));
    down.read_exact(1000);
  }
  EXPECT_EQ(exchange(server.port(), get("/alive")).status, 200);
  eventually([&] { return server.counters().connections.get() == 0; });
  EXPECT_TRUE(eventually([&] { return server.counters().connections.get() == 0u; }));
  EXPECT_TRUE(eventually([&] { return server.budget().in_use() == 0u; }));
}

TEST(HttpSession, BodiesQueueForTheByteBudget) {
  LiveServer server({}, nullptr, 100'000);
  std::vector<std::unique_ptr<RawClient>> clients;
  const std::string body = generated(90'000);
  for (int i = 0; i < 8; ++i) {
    clients.push_back(std::make_unique<RawClient>(server.port()));
    clients.back()->send(put("/sink", body));
  }
  for (const auto& client : clients) {
    EXPECT_EQ(client->reply().body, "90000 0");
  }
  EXPECT_EQ(exchange(server.port(), get("/gen/5000000")).body.size(), 5'000'000u);
  EXPECT_TRUE(eventually([&] { return server.budget().in_use() == 0u; }));
}

}  // namespace
}  // namespace outcrop::server::testing
