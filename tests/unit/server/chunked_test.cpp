// The chunked decoder alone: payload, splits, limits, and what it refuses.
#include "server/chunked.h"

#include <gtest/gtest.h>

namespace outcrop::server {
namespace {

/// Payload of a whole body fed in pieces of `step`; nothing if refused or incomplete.
std::optional<std::string> decode(std::string_view in, std::size_t step) {
  ChunkedDecoder d;
  std::string out;
  while (!in.empty() && !d.done()) {
    std::string_view piece = in.substr(0, step);
    in.remove_prefix(piece.size());
    while (!piece.empty() && !d.done()) {
      const std::size_t payload = std::min<std::uint64_t>(d.payload_left(), piece.size());
      out.append(piece.substr(0, payload));
      d.took(payload);
      piece.remove_prefix(payload);
      const Result<std::size_t> n = d.eat(piece);
      if (!n) {
        return std::nullopt;
      }
      piece.remove_prefix(*n);
    }
  }
  return d.done() ? std::optional(out) : std::nullopt;
}

TEST(Chunked, GivesThePayloadWhateverTheSplit) {
  const std::string body =
      "5\r\nhello\r\n0A;name=value;flag;q=\"a\\\"b\"\r\n0123456789\r\n0\r\nX-Trailer: t\r\n\r\n";
  for (std::size_t step = 1; step <= body.size(); ++step) {
    EXPECT_EQ(decode(body, step), "hello0123456789") << step;
  }
}

TEST(Chunked, StopsBehindTheEnd) {
  ChunkedDecoder d;
  EXPECT_EQ(d.eat("0\r\n\r\nGET /").value(), 5u);
  EXPECT_TRUE(d.done());
  EXPECT_EQ(d.eat("GET /").value(), 0u);
}

TEST(Chunked, Refuses) {
  for (const char* bad : {"\r\n",
                          "g\r\n",
                          "-1\r\n",
                          "+1\r\n",
                          "0x1\r\n",
                          " 1\r\n",
                          "1 \r\n",
                          "1\n",
                          "1\r\rX",
                          "1;\r\n",
                          "1;=a\r\n",
                          "1;a=\r\n",
                          "1;a=\"x\r\n",
                          "1;a=\"\x01\"\r\n",
                          "1 ;a\r\n",
                          "8000000000000000\r\n",
                          "1\r\nab\r\n",
                          "1\r\na\n",
                          "0\r\nno colon\r\n\r\n",
                          "0\r\nA : b\r\n\r\n",
                          "0\r\n folded\r\n\r\n",
                          "0\r\nHost: h\r\n\r\n",
                          "0\r\ntransfer-encoding: chunked\r\n\r\n",
                          "0\r\nA: \x01\r\n\r\n"}) {
    EXPECT_EQ(decode(bad, 1), std::nullopt) << bad;
    EXPECT_EQ(decode(bad, 1000), std::nullopt) << bad;
  }
}

TEST(Chunked, ChunkLineLimit) {
  const std::string most = "1;a=" + std::string(kMaxChunkLine - 4, 'x') + "\r\n";
  ChunkedDecoder a;
  EXPECT_TRUE(a.eat(most).has_value());
  EXPECT_EQ(a.payload_left(), 1u);
  ChunkedDecoder b;
  EXPECT_FALSE(b.eat("1;a=" + std::string(kMaxChunkLine - 3, 'x') + "\r\n").has_value());
}

TEST(Chunked, TrailerLimit) {
  const auto trailer = [](std::size_t bytes) {
    return "0\r\nA: " + std::string(bytes - 5, 'x') + "\r\n\r\n";
  };
  EXPECT_TRUE(decode(trailer(kMaxTrailerBytes), 4096).has_value());
  EXPECT_FALSE(decode(trailer(kMaxTrailerBytes + 1), 4096).has_value());
}

}  // namespace
}  // namespace outcrop::server
