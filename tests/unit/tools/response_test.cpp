// Response parsing: heads, chunked bodies cut anywhere, and what must be refused.
#include "tools/bench/response.h"

namespace outcrop::bench {
namespace {

TEST(Response, heads) {
  const auto head = parse_head(
      "HTTP/1.1 206 Partial Content\r\nServer: x\r\ncontent-LENGTH:  42 \r\nETag: \"abc\"\r\n"
      "X-Empty:\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->status, 206);
  EXPECT_EQ(head->content_length, 42U);
  EXPECT_EQ(head->etag, "\"abc\"");
  EXPECT_TRUE(head->close);
  EXPECT_FALSE(head->chunked);
  const auto chunked = parse_head("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  ASSERT_TRUE(chunked.has_value());
  EXPECT_TRUE(chunked->chunked);
  EXPECT_FALSE(chunked->close);
  EXPECT_EQ(parse_head("HTTP/1.1 204 \r\n\r\n").value().status, 204);
  EXPECT_TRUE(parse_head("HTTP/1.0 200 OK\r\n\r\n").value().close);
}

TEST(Response, bad_heads) {
  for (const char* const bad :
       {"", "\r\n\r\n", "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n"}) {
    EXPECT_FALSE(parse_head(bad).has_value()) << bad;
  }
}

TEST(Response, chunked_bodies_cut_anywhere) {
  const std::string wire =
      "5;ext=1\r\nhello\r\n1A\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nTrailer: x\r\n\r\n";
  const std::string more = wire + "HTTP/1.1";
  for (std::size_t step = 1; step <= more.size(); ++step) {
    ChunkedBody body;
    std::string out;
    std::size_t at = 0;
    while (!body.done() && at < more.size()) {
      const auto used = body.feed(std::string_view(more).substr(at, step), &out);
      ASSERT_TRUE(used.has_value());
      at += *used;
    }
    EXPECT_TRUE(body.done());
    EXPECT_EQ(at, wire.size());
    EXPECT_EQ(out, "helloabcdefghijklmnopqrstuvwxyz");
    EXPECT_EQ(body.payload(), 31U);
  }
}

TEST(Response, bad_chunks) {
  for (const char* const bad :
       {"x\r\n", "\r\n", "5\nhello\r\n", "2\r\nabc\r\n", "-1\r\n", "fffffffffffffffff\r\n"}) {
    ChunkedBody body;
    EXPECT_FALSE(body.feed(bad, nullptr).has_value()) << bad;
  }
  ChunkedBody body;
  EXPECT_FALSE(body.feed(std::string(10'000, '1'), nullptr).has_value());
}

TEST(Response, xml) {
  EXPECT_EQ(xml_text("<Error><Code>NoSuchKey</Code><Message>m</Message></Error>", "Code"),
            "NoSuchKey");
  EXPECT_EQ(xml_text("<Error/>", "Code"), "");
  EXPECT_EQ(xml_text("<Code>open", "Code"), "");
  EXPECT_EQ(xml_text("</Code><Code>", "Code"), "");
}

}  // namespace
}  // namespace outcrop::bench
