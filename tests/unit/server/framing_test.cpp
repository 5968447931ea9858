// The guard alone: the corpus of bad framings, what must be accepted, and the limits.
#include "server/framing.h"

#include <gtest/gtest.h>

#include "server/chunked.h"
#include "server/head_parser.h"
#include "tests/unit/server/framing_corpus.h"
#include "tests/unit/server/live_server.h"

namespace outcrop::server {
namespace {

using testing::BadFraming;

/// As a session would: scan, check, then take chunked framing off the rest.
bool accepted(std::string_view bytes) {
  HeadScanner scanner;
  const auto size = scanner.scan(bytes);
  if (!size || *size == 0) {
    return false;
  }
  const auto framing = check_head(bytes.substr(0, *size));
  if (!framing) {
    return false;
  }
  std::string_view body = bytes.substr(*size);
  ChunkedDecoder decoder;
  while (framing->chunked && !decoder.done()) {
    const Result<std::size_t> n = decoder.eat(body);
    if (!n || (*n == 0 && decoder.payload_left() == 0)) {
      return false;
    }
    body.remove_prefix(*n);
    const std::size_t payload = std::min<std::uint64_t>(decoder.payload_left(), body.size());
    decoder.took(payload);
    body.remove_prefix(payload);
  }
  return true;
}

class BadFramingTest : public ::testing::TestWithParam<BadFraming> {};

TEST_P(BadFramingTest, GuardRejects) { EXPECT_FALSE(accepted(GetParam().bytes)); }

/// 400, closed, and what follows on the wire is not taken for a request.
TEST_P(BadFramingTest, SocketAnswers400AndCloses) {
  testing::LiveServer server;
  testing::RawClient client(server.port());
  client.send(GetParam().bytes);
  client.send("GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n");
  const std::string all = client.until_closed();
  EXPECT_TRUE(all.starts_with("HTTP/1.1 400 Bad Request\r\n")) << all;
  EXPECT_EQ(all.find("HTTP/1.1", 1), std::string::npos) << all;
  EXPECT_NE(all.find("\r\nConnection: close\r\n"), std::string::npos) << all;
  EXPECT_FALSE(client.closed_by_reset());
}

INSTANTIATE_TEST_SUITE_P(Corpus,
                         BadFramingTest,
                         ::testing::ValuesIn(testing::bad_framings()),
                         [](const auto& param) { return param.param.name; });

Framing good(std::string_view head) {
  const auto f = check_head(head);
  EXPECT_TRUE(f.has_value()) << head << (f ? "" : to_string(f.error()));
  http::Request rq;
  EXPECT_TRUE(parse_head(head, rq).has_value()) << head;
  return f.value_or(Framing{});
}

TEST(Framing, ReadsWhatClientsSend) {
  const Framing get = good("GET /b/k?x-id=GetObject HTTP/1.1\r\nHost: h:9000\r\n\r\n");
  EXPECT_TRUE(get.keep_alive);
  EXPECT_FALSE(get.content_length);
  const Framing put = good(
      "PUT /b/k HTTP/1.1\r\nhost: h\r\nEXPECT: 100-Continue\r\ncontent-length:0\r\n"
      "x-amz-meta-n: \xc3\xa9\r\nConnection: Keep-Alive, close\r\n\r\n");
  EXPECT_TRUE(put.expect_continue);
  for (const char* other : {"", "200", "100-continue-not"}) {  // there are no others
    const std::string head =
        "PUT / HTTP/1.1\r\nHost: h\r\nExpect: " + std::string(other) + "\r\n\r\n";
    EXPECT_FALSE(good(head).expect_continue) << other;
  }
  EXPECT_EQ(put.content_length, 0u);
  EXPECT_FALSE(put.keep_alive);
  EXPECT_TRUE(good("PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked \r\n\r\n").chunked);
  EXPECT_FALSE(good("GET / HTTP/1.0\r\n\r\n").keep_alive);
  EXPECT_TRUE(good("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keep_alive);
  good("OPTIONS * HTTP/1.1\r\nHost: [::1]:9000\r\nX-Empty:\r\n\r\n");
}

std::string head_of_size(std::size_t size) {
  std::string head = "GET / HTTP/1.1\r\nHost: h\r\nX: ";
  head.append(size - head.size() - 4, 'a');
  return head + "\r\n\r\n";
}

TEST(Framing, HeadLimit) {
  const std::string most = head_of_size(kMaxHeadBytes);
  HeadScanner a;
  EXPECT_EQ(a.scan(most).value(), most.size());
  EXPECT_TRUE(check_head(most).has_value());
  const std::string more = head_of_size(kMaxHeadBytes + 1);
  HeadScanner b;
  EXPECT_EQ(b.scan(more).error(), Reject::head_too_large);
  EXPECT_EQ(check_head(more).error(), Reject::head_too_large);
  HeadScanner c;
  EXPECT_EQ(c.scan(std::string_view(more).substr(0, kMaxHeadBytes)).error(),
            Reject::head_too_large);
}

TEST(Framing, FieldCountLimit) {
  std::string head = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (std::size_t i = 1; i < kMaxHeaderFields; ++i) {
    head += "X: y\r\n";
  }
  EXPECT_TRUE(check_head(head + "\r\n").has_value());
  EXPECT_EQ(check_head(head + "X: y\r\n\r\n").error(), Reject::too_many_fields);
}

TEST(Framing, ContentLengthLimit) {
  const auto with = [](const char* n) {
    return check_head("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::string(n) +
                      "\r\n\r\n");
  };
  EXPECT_EQ(with("9223372036854775807")->content_length, kMaxContentLength);
  EXPECT_EQ(with("9223372036854775808").error(), Reject::bad_content_length);
  EXPECT_EQ(with("").error(), Reject::bad_content_length);
  EXPECT_EQ(with("5a").error(), Reject::bad_content_length);
}

TEST(Framing, ScannerFindsTheEndHoweverBytesArrive) {
  const std::string head = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  const std::string bytes = head + "GET /next";
  HeadScanner scanner;
  std::size_t end = 0;
  for (std::size_t n = 1; n <= bytes.size() && end == 0; ++n) {
    end = scanner.scan(std::string_view(bytes).substr(0, n)).value();
  }
  EXPECT_EQ(end, head.size());
}

/// Found by fuzzing: Beast reads both as token lists and refuses others, so the guard does too.
TEST(Framing, ConnectionMustBeATokenList) {
  for (const std::string name : {"Connection", "Proxy-Connection"}) {
    const std::string head = "GET / HTTP/1.1\r\nHost: h\r\n" + name + ": ";
    EXPECT_EQ(check_head(head + "\xe4 close\r\n\r\n").error(), Reject::bad_connection);
    good(head + ", TE,, keep-alive ,\r\n\r\n");
  }
}

TEST(Framing, TlsHelloOnAPlainPortIsRejectedAtOnce) {
  HeadScanner scanner;
  EXPECT_EQ(scanner.scan("\x16\x03\x01").error(), Reject::bad_method);
}

}  // namespace
}  // namespace outcrop::server
