// The chunk decoder on good bodies split everywhere, and on bodies that lie.
#include <gtest/gtest.h>

#include "auth/aws_chunked.h"
#include "tests/unit/auth/support.h"

namespace outcrop::auth::test {
namespace {

struct Outcome {
  std::string payload;
  ChunkError error = ChunkError::none;
  bool complete = false;
  std::vector<http::Header> trailers;
};

Outcome finish(ChunkDecoder& decoder, std::string payload) {
  decoder.end_of_input();
  return {std::move(payload), decoder.error(), decoder.need() == ChunkDecoder::Need::nothing,
          decoder.trailers()};
}

/// Feeds `body` in pieces of `step` bytes.
Outcome decode(const ChunkOptions& options, std::string_view body, std::size_t step = SIZE_MAX) {
  ChunkDecoder decoder(options);
  std::string payload;
  for (std::string_view rest = body; !rest.empty();) {
    const std::string_view piece = rest.substr(0, step);
    rest.remove_prefix(piece.size());
    decoder.push(as_bytes(piece), [&](ConstBytes run) { payload += as_text(run); });
  }
  return finish(decoder, std::move(payload));
}

ChunkOptions unsigned_options(std::uint64_t length, std::vector<std::string> trailers = {}) {
  return {PayloadForm::streaming_unsigned_trailer, length, std::nullopt, std::move(trailers)};
}

ChunkOptions signed_options(std::uint64_t length) {
  return {PayloadForm::streaming_signed, length, doc_chunk_signing(), {}};
}

ChunkOptions signed_trailer_options(std::uint64_t length, std::vector<std::string> trailers) {
  return {PayloadForm::streaming_signed_trailer, length, doc_chunk_signing(), std::move(trailers)};
}

const http::Header kCrc{"x-amz-checksum-crc32", "AAAAAA=="};

struct Sample {
  const char* name;
  ChunkOptions options;
  std::string body, payload;
};

std::vector<Sample> samples() {
  const std::string data = "hello chunked world";
  const std::vector<std::string> parts{"hello ", "chunked", " world"};
  return {
      {"unsigned", unsigned_options(19), encode_unsigned({parts, {}, false}), data},
      {"unsigned trailer", unsigned_options(19, {kCrc.name}),
       encode_unsigned({parts, {kCrc}, true}), data},
      {"signed", signed_options(19), encode_signed(doc_chunk_signing(), {parts, {}, false}), data},
      {"signed trailer", signed_trailer_options(19, {kCrc.name}),
       encode_signed(doc_chunk_signing(), {parts, {kCrc}, true}), data},
      {"empty", signed_options(0), encode_signed(doc_chunk_signing(), {{}, {}, false}), ""},
      {"empty trailer", unsigned_options(0, {kCrc.name}), encode_unsigned({{}, {kCrc}, true}), ""},
  };
}

TEST(AwsChunked, EverySplitGivesTheSame) {
  for (const Sample& sample : samples()) {
    for (std::size_t step = 1; step <= sample.body.size(); ++step) {
      const Outcome outcome = decode(sample.options, sample.body, step);
      ASSERT_TRUE(outcome.complete) << sample.name << " " << step << to_string(outcome.error);
      ASSERT_EQ(outcome.payload, sample.payload);
      ASSERT_EQ(outcome.trailers.size(), sample.options.trailer_names.size());
    }
    for (std::size_t at = 0; at <= sample.body.size(); ++at) {
      ChunkDecoder decoder(sample.options);
      std::string payload;
      const auto sink = [&](ConstBytes run) { payload += as_text(run); };
      const std::string_view body = sample.body;
      decoder.push(as_bytes(body.substr(0, at)), sink);
      decoder.push(as_bytes(body.substr(at)), sink);
      ASSERT_TRUE(finish(decoder, payload).complete) << sample.name << " " << at;
    }
  }
}

TEST(AwsChunked, EveryEarlyEndIsIncomplete) {
  for (const Sample& sample : samples()) {
    for (std::size_t size = 0; size < sample.body.size(); ++size) {
      const Outcome outcome = decode(sample.options, std::string_view(sample.body).substr(0, size));
      ASSERT_FALSE(outcome.complete) << sample.name << " " << size;
      ASSERT_EQ(outcome.error, ChunkError::incomplete_body) << sample.name << " " << size;
    }
  }
}

TEST(AwsChunked, NoByteOfASignedBodyCanChange) {
  for (const Sample& sample : samples()) {
    if (!sample.options.signing) {
      continue;
    }
    for (std::size_t i = 0; i < sample.body.size(); ++i) {
      std::string body = sample.body;
      body[i] = static_cast<char>(body[i] ^ 1);
      ASSERT_FALSE(decode(sample.options, body).complete) << sample.name << " " << i;
    }
  }
}

TEST(AwsChunked, BytesAfterTheEndAreRefused) {
  for (const Sample& sample : samples()) {
    for (const char* extra : {"x", "\r\n", "0\r\n\r\n"}) {
      EXPECT_EQ(decode(sample.options, sample.body + extra).error, ChunkError::malformed);
    }
  }
}

TEST(AwsChunked, MissingZeroChunk) {
  EXPECT_EQ(decode(unsigned_options(5), "5\r\nhello\r\n").error, ChunkError::incomplete_body);
  EXPECT_EQ(decode(unsigned_options(5), "5\r\nhello\r\n\r\n").error, ChunkError::malformed);
}

TEST(AwsChunked, AnnouncedLengthIsExact) {
  EXPECT_EQ(decode(unsigned_options(6), "5\r\nhello\r\n0\r\n\r\n").error,
            ChunkError::incomplete_body);
  EXPECT_EQ(decode(unsigned_options(4), "5\r\nhello\r\n0\r\n\r\n").error, ChunkError::oversize);
  EXPECT_EQ(decode(unsigned_options(5), "5\r\nhello\r\n1\r\nx\r\n0\r\n\r\n").error,
            ChunkError::oversize);
}

TEST(AwsChunked, LyingChunkSizes) {
  // The size says less or more than there is before the CRLF.
  EXPECT_EQ(decode(unsigned_options(5), "4\r\nhello\r\n0\r\n\r\n").error, ChunkError::malformed);
  EXPECT_EQ(decode(unsigned_options(9), "6\r\nhello\r\n0\r\n\r\n").error, ChunkError::malformed);
}

TEST(AwsChunked, MalformedChunkHeaders) {
  for (const char* header : {"", "g", " 5", "5 ", "+5", "-5", "0x5", "5;", "5;chunk-signature=",
                             "5;a=b", "10000000000000000000", "00000000000000005"}) {
    EXPECT_NE(decode(unsigned_options(5), std::string(header) + "\r\nhello\r\n0\r\n\r\n").error,
              ChunkError::none)
        << header;
  }
  EXPECT_EQ(decode(unsigned_options(5), "5\nhello\r\n0\r\n\r\n").error, ChunkError::malformed);
  EXPECT_TRUE(decode(unsigned_options(10), "00000A\r\nhellohello\r\n0\r\n\r\n").complete);
  EXPECT_EQ(decode(unsigned_options(5), std::string(1 << 20, '0')).error, ChunkError::malformed);
}

TEST(AwsChunked, SignedChunksNeedTheirSignature) {
  const std::string zeros(64, '0');
  EXPECT_EQ(decode(signed_options(1), "1\r\nx\r\n0\r\n\r\n").error, ChunkError::malformed);
  EXPECT_EQ(decode(signed_options(1), "1;chunk-signature=00\r\nx\r\n").error,
            ChunkError::malformed);
  EXPECT_EQ(decode(signed_options(1), "1;chunk-signature=" + zeros + "\r\nx\r\n").error,
            ChunkError::signature_mismatch);
  EXPECT_EQ(decode(signed_options(0), "0;chunk-signature=" + zeros + "\r\n\r\n").error,
            ChunkError::signature_mismatch);
}

TEST(AwsChunked, ChunksCannotBeReordered) {
  const ChunkSigning signing = doc_chunk_signing();
  const std::string one = encode_signed(signing, {{"aaaa", "bbbb"}, {}, false});
  const std::size_t unit = one.find("\r\nbbbb") + 8 - (one.find("\r\naaaa") + 8);
  const std::string swapped = one.substr(unit, unit) + one.substr(0, unit) + one.substr(2 * unit);
  EXPECT_TRUE(decode(signed_options(8), one).complete);
  EXPECT_EQ(decode(signed_options(8), swapped).error, ChunkError::signature_mismatch);
}

TEST(AwsChunked, SignedChunkLimit) {
  const std::string zeros(64, '0');
  const auto header = [&](std::uint64_t size) {
    char text[40];
    std::snprintf(text, sizeof text, "%llx", static_cast<unsigned long long>(size));
    return std::string(text) + ";chunk-signature=" + zeros + "\r\n";
  };
  EXPECT_EQ(decode(signed_options(kMaxSignedChunk * 2), header(kMaxSignedChunk)).error,
            ChunkError::incomplete_body);
  EXPECT_EQ(decode(signed_options(kMaxSignedChunk * 2), header(kMaxSignedChunk + 1)).error,
            ChunkError::oversize);
  // Unsigned: SDKs send an object as one chunk, so only the announced length bounds it.
  EXPECT_EQ(decode(unsigned_options(5ULL << 30), "140000000\r\n").error,
            ChunkError::incomplete_body);
}

TEST(AwsChunked, TrailersMustBeTheAnnouncedOnes) {
  const auto with = [](std::vector<std::string> names, std::string_view lines) {
    return decode(unsigned_options(0, std::move(names)), "0\r\n" + std::string(lines) + "\r\n");
  };
  const std::string a = "x-amz-checksum-crc32:AAAAAA==\r\n";
  EXPECT_TRUE(with({"x-amz-checksum-crc32"}, a).complete);
  EXPECT_TRUE(with({"x-amz-checksum-crc32"}, "X-Amz-Checksum-CRC32 : AAAAAA== \r\n").complete);
  EXPECT_TRUE(with({"a", "b"}, "b:2\r\na:1\r\n").complete);
  EXPECT_EQ(with({"x-amz-checksum-crc32"}, "").error, ChunkError::trailer_mismatch);
  EXPECT_EQ(with({}, a).error, ChunkError::trailer_mismatch);
  EXPECT_EQ(with({"x-amz-checksum-sha1"}, a).error, ChunkError::trailer_mismatch);
  EXPECT_EQ(with({"x-amz-checksum-crc32"}, a + a).error, ChunkError::trailer_mismatch);
  EXPECT_EQ(with({"x-amz-checksum-crc32"}, a + "x-amz-trailer-signature:00\r\n").error,
            ChunkError::trailer_mismatch);
}

TEST(AwsChunked, TrailerLinesAreBounded) {
  const auto run = [](std::string_view lines) {
    return decode(unsigned_options(0, {"a"}), "0\r\n" + std::string(lines) + "\r\n").error;
  };
  EXPECT_EQ(run("no colon\r\n"), ChunkError::malformed);
  EXPECT_EQ(run(":1\r\n"), ChunkError::malformed);
  EXPECT_EQ(run("a b:1\r\n"), ChunkError::malformed);
  EXPECT_EQ(run(std::string("a:\0\r\n", 6)), ChunkError::malformed);
  EXPECT_EQ(run("a:1\r2\r\n"), ChunkError::malformed);
  EXPECT_EQ(run("a:" + std::string(1020, 'x') + "\r\n"), ChunkError::none);
  EXPECT_EQ(run("a:" + std::string(1021, 'x') + "\r\n"), ChunkError::malformed);
  std::string many;
  for (std::size_t i = 0; i <= kMaxTrailers; ++i) {
    many += "a:1\r\n";
  }
  EXPECT_EQ(run(many), ChunkError::malformed);
}

TEST(AwsChunked, SignedTrailerNeedsItsSignatureLast) {
  const std::vector<std::string> names{kCrc.name};
  const std::string good = encode_signed(doc_chunk_signing(), {{"x"}, {kCrc}, true});
  const std::size_t at = good.find("x-amz-trailer-signature");
  const std::string without = good.substr(0, at) + "\r\n";
  EXPECT_EQ(decode(signed_trailer_options(1, names), without).error,
            ChunkError::signature_mismatch);
  std::string after = good;
  after.insert(after.size() - 2, "x-amz-checksum-crc32:AAAAAA==\r\n");
  EXPECT_EQ(decode(signed_trailer_options(1, names), after).error, ChunkError::malformed);
  std::string altered = good;
  altered.replace(altered.find("AAAAAA=="), 8, "AAAAAQ==");
  EXPECT_EQ(decode(signed_trailer_options(1, names), altered).error,
            ChunkError::signature_mismatch);
  // A signed trailer nobody announced is as wrong as an unsigned one.
  EXPECT_EQ(decode(signed_trailer_options(1, {}), good).error, ChunkError::trailer_mismatch);
}

TEST(AwsChunked, TrailerLinesEndedByBareNewline) {
  const std::vector<std::string> names{kCrc.name};
  std::string body = encode_signed(doc_chunk_signing(), {{"x"}, {kCrc}, true});
  body.replace(body.find("AAAAAA==\r\n"), 10, "AAAAAA==\n\r\n");
  EXPECT_TRUE(decode(signed_trailer_options(1, names), body).complete);
  EXPECT_TRUE(
      decode(unsigned_options(0, names), "0\r\n" + kCrc.name + ":AAAAAA==\n\r\n\r\n").complete);
}

TEST(AwsChunked, OptionsFromHeaders) {
  Authentication authentication;
  authentication.payload = PayloadForm::streaming_unsigned_trailer;
  http::Request request = make_request("PUT", "/b/k", {});
  const auto error = [&] {
    const auto options = chunk_options(request, authentication);
    return options ? ChunkError::none : options.error();
  };
  EXPECT_EQ(error(), ChunkError::missing_decoded_length);
  for (const char* bad : {"", "-1", "+1", "1x", " 1", "18446744073709551616"}) {
    set_header(request, "x-amz-decoded-content-length", bad);
    EXPECT_EQ(error(), ChunkError::missing_decoded_length) << bad;
  }
  set_header(request, "x-amz-decoded-content-length", "18446744073709551615");
  EXPECT_EQ(error(), ChunkError::none);
  set_header(request, "x-amz-trailer", "X-Amz-Checksum-SHA256 , a");
  const auto options = chunk_options(request, authentication);
  ASSERT_TRUE(options);
  EXPECT_EQ(options->trailer_names, (std::vector<std::string>{"a", "x-amz-checksum-sha256"}));
  for (const char* bad : {",", "a,,b", "a b", "a,b,c,d,e,f,g,h,i"}) {
    set_header(request, "x-amz-trailer", bad);
    EXPECT_EQ(error(), ChunkError::trailer_mismatch) << bad;
  }
}

}  // namespace
}  // namespace outcrop::auth::test
