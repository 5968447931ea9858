// ChunkedBodyReader over readers that give bytes in every way a session can.
#include <gtest/gtest.h>

#include "auth/chunked_body_reader.h"
#include "tests/unit/auth/support.h"

namespace outcrop::auth::test {
namespace {

/// Gives at most `step` bytes per read, then the end or an error.
class MemoryReader final : public http::BodyReader {
 public:
  MemoryReader(std::string body, std::size_t step, std::optional<Errc> last = std::nullopt)
      : x_body(std::move(body)), x_step(step), x_last(last) {}
  Task<std::size_t> read_some(MutBytes out) override {
    const std::size_t size = std::min({out.size(), x_step, x_body.size() - x_at});
    if (size == 0 && x_last) {
      co_return fail(*x_last);
    }
    std::memcpy(out.data(), x_body.data() + x_at, size);
    x_at += size;
    co_return size;
  }
  std::optional<std::uint64_t> content_length() const override { return x_body.size(); }

 private:
  std::string x_body;
  std::size_t x_step, x_at = 0;
  std::optional<Errc> x_last;
};

Result<std::size_t> read_once(http::BodyReader& reader, MutBytes out) {
  asio::io_context context(1);
  Result<std::size_t> result;
  asio::co_spawn(
      context.get_executor(), reader.read_some(out),
      [&](const std::exception_ptr&, Result<std::size_t> value) { result = std::move(value); });
  context.run();
  return result;
}

struct Outcome {
  std::string payload;
  std::optional<Error> error;
};

Outcome read_all(ChunkedBodyReader& reader, std::size_t buffer_size) {
  std::vector<std::byte> buffer(buffer_size);
  Outcome outcome;
  for (;;) {
    const Result<std::size_t> size = read_once(reader, buffer);
    if (!size) {
      outcome.error = size.error();
      return outcome;
    }
    if (*size == 0) {
      return outcome;
    }
    outcome.payload += as_text(ConstBytes(buffer).first(*size));
  }
}

const http::Header kCrc{"x-amz-checksum-crc32", "AAAAAA=="};

ChunkOptions trailer_options(std::uint64_t length) {
  return {PayloadForm::streaming_unsigned_trailer, length, std::nullopt, {kCrc.name}};
}

std::string pattern(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) {
    text[i] = static_cast<char>('a' + i * 7 % 23);
  }
  return text;
}

TEST(ChunkedBodyReader, GivesThePayloadWhateverTheReadSizes) {
  const std::string data = pattern(30000);
  const std::string body = encode_signed(
      doc_chunk_signing(),
      {{data.substr(0, 8192), data.substr(8192, 1), data.substr(8193)}, {kCrc}, true});
  for (const std::size_t step : {1UL, 7UL, 100UL, 4096UL, 100000UL}) {
    for (const std::size_t buffer : {3UL, 1000UL, 65536UL}) {
      MemoryReader inner(body, step);
      ChunkedBodyReader reader(
          inner,
          {PayloadForm::streaming_signed_trailer, data.size(), doc_chunk_signing(), {kCrc.name}});
      EXPECT_EQ(reader.content_length(), data.size());
      const Outcome outcome = read_all(reader, buffer);
      ASSERT_FALSE(outcome.error) << outcome.error->describe();
      ASSERT_EQ(outcome.payload, data);
      ASSERT_EQ(reader.trailers().size(), 1U);
      EXPECT_EQ(reader.trailers()[0].value, "AAAAAA==");
      EXPECT_EQ(reader.last_error(), ChunkError::none);
    }
  }
}

TEST(ChunkedBodyReader, LastBytesComeOnlyWithAGoodEnd) {
  const std::string body = encode_unsigned({{"hello"}, {kCrc}, true});
  std::vector<std::byte> buffer(5);  // as large as the object: the caller need not read on
  for (std::size_t size = 0; size < body.size(); ++size) {
    MemoryReader inner(body.substr(0, size), 1000);
    ChunkedBodyReader reader(inner, trailer_options(5));
    const Result<std::size_t> result = read_once(reader, buffer);
    EXPECT_TRUE(!result || *result < 5) << size;
  }
  MemoryReader inner(body, 1000);
  ChunkedBodyReader reader(inner, trailer_options(5));
  const Result<std::size_t> result = read_once(reader, buffer);
  ASSERT_TRUE(result);
  EXPECT_EQ(*result, 5U);
  EXPECT_EQ(reader.trailers().size(), 1U);
}

TEST(ChunkedBodyReader, EmptyObject) {
  MemoryReader inner(encode_unsigned({{}, {kCrc}, true}), 3);
  ChunkedBodyReader reader(inner, trailer_options(0));
  const Outcome outcome = read_all(reader, 10);
  EXPECT_FALSE(outcome.error);
  EXPECT_EQ(outcome.payload, "");
  EXPECT_EQ(reader.trailers().size(), 1U);
}

TEST(ChunkedBodyReader, SaysWhyItFailed) {
  struct Case {
    std::string body;
    ChunkError reason;
    Errc code;
  };
  const std::string forged = "5;chunk-signature=" + std::string(64, 'f') + "\r\nhello\r\n";
  for (const Case& c :
       {Case{"5\r\nhel", ChunkError::incomplete_body, Errc::invalid_argument},
        Case{"6\r\nhello!", ChunkError::oversize, Errc::invalid_argument},
        Case{"x\r\n", ChunkError::malformed, Errc::invalid_argument},
        Case{"5\r\nhello\r\n0\r\n\r\n", ChunkError::trailer_mismatch, Errc::invalid_argument}}) {
    MemoryReader inner(c.body, 4);
    ChunkedBodyReader reader(inner, trailer_options(5));
    const Outcome outcome = read_all(reader, 64);
    ASSERT_TRUE(outcome.error) << c.body;
    EXPECT_EQ(reader.last_error(), c.reason);
    EXPECT_EQ(outcome.error->code(), c.code);
    EXPECT_TRUE(read_all(reader, 64).error) << "the failure stays";
  }
  MemoryReader inner(forged, 4);
  ChunkedBodyReader reader(inner, {PayloadForm::streaming_signed, 5, doc_chunk_signing(), {}});
  EXPECT_EQ(read_all(reader, 64).error->code(), Errc::access_denied);
  EXPECT_EQ(reader.last_error(), ChunkError::signature_mismatch);
}

TEST(ChunkedBodyReader, InnerErrorsPassThrough) {
  for (const Errc code : {Errc::timed_out, Errc::cancelled}) {
    MemoryReader inner("5\r\nhel", 4, code);
    ChunkedBodyReader reader(inner, trailer_options(5));
    EXPECT_EQ(read_all(reader, 64).error->code(), code);
    EXPECT_EQ(reader.last_error(), ChunkError::none);
  }
}

}  // namespace
}  // namespace outcrop::auth::test
