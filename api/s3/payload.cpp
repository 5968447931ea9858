#include "api/s3/payload.h"

#include <algorithm>
#include <array>
#include <span>

#include "auth/chunked_body_reader.h"
#include "storage/base/worker.h"
#include "storage/digest/digest.h"
#include "storage/digest/text.h"

namespace outcrop::s3 {
namespace {

using digest::Algorithm;

bool is_streaming(auth::PayloadForm form) {
  switch (form) {
    case auth::PayloadForm::sha256:
    case auth::PayloadForm::unsigned_payload:
      return false;
    case auth::PayloadForm::streaming_signed:
    case auth::PayloadForm::streaming_signed_trailer:
    case auth::PayloadForm::streaming_unsigned_trailer:
      return true;
  }
  return true;
}

/// x-amz-checksum-* of the headers, at most one.
Outcome<> plan_header_checksum(const Call& call, PayloadPlan& plan) {
  for (const Algorithm algorithm : digest::kAlgorithms) {
    const auto text = call.header(digest::header_name(algorithm));
    if (!text) {
      continue;
    }
    if (plan.algorithm != Algorithm::none) {
      return fail(Code::invalid_request,
                  "Expecting a single x-amz-checksum- header. Multiple checksum Types are not "
                  "allowed.");
    }
    S3_TRY(plan.checksum, checksum_value(algorithm, *text));
    plan.algorithm = algorithm;
  }
  return {};
}

Outcome<> plan_trailer_checksum(const Call& call, PayloadPlan& plan) {
  const auto trailer = call.header("x-amz-trailer");
  if (!trailer) {
    return {};
  }
  const auto algorithm = digest::parse_header_name(*trailer);
  if (!algorithm || !plan.streaming) {
    return fail(Code::invalid_request,
                "The value specified in the x-amz-trailer header is not supported");
  }
  if (plan.algorithm != Algorithm::none) {
    return fail(Code::invalid_request, "Expecting a single x-amz-checksum- header");
  }
  plan.algorithm = *algorithm;
  plan.trailer = digest::header_name(*algorithm);
  return {};
}

Outcome<> plan_sdk_algorithm(const Call& call, const PayloadPlan& plan) {
  S3_TRY(const Algorithm named, named_algorithm(call.header("x-amz-sdk-checksum-algorithm")));
  if (named == Algorithm::none) {
    return {};
  }
  if (plan.algorithm == Algorithm::none) {
    return fail(Code::invalid_request,
                "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or "
                "x-amz-trailer headers were found.");
  }
  if (plan.algorithm != named) {
    return fail(Code::invalid_request, "Value for x-amz-sdk-checksum-algorithm header is invalid.");
  }
  return {};
}

Outcome<> plan_length(const Call& call, PayloadPlan& plan) {
  if (!plan.streaming) {
    plan.length = call.body.content_length();
    return {};
  }
  const auto text = call.header("x-amz-decoded-content-length");
  if (!text) {
    return {};
  }
  plan.length = parse_number(*text);
  if (!plan.length) {
    return bad_argument("The x-amz-decoded-content-length header is not a number.",
                        "x-amz-decoded-content-length", std::string(*text));
  }
  return {};
}

Code chunk_code(auth::ChunkError error) {
  switch (error) {
    case auth::ChunkError::missing_decoded_length:
      return Code::missing_content_length;
    case auth::ChunkError::signature_mismatch:
      return Code::signature_does_not_match;
    case auth::ChunkError::trailer_mismatch:
      return Code::malformed_trailer;
    case auth::ChunkError::none:
    case auth::ChunkError::incomplete_body:
    case auth::ChunkError::malformed:
    case auth::ChunkError::oversize:
      return Code::incomplete_body;
  }
  return Code::incomplete_body;
}

/// Everything that is computed while the bytes come in, and compared at the end.
class Verifier {
 public:
  Verifier(const Call& call, const PayloadPlan& plan, Algorithm also, bool with_md5)
      : x_call(call),
        x_plan(plan),
        x_sum(plan.algorithm != Algorithm::none ? plan.algorithm : also),
        x_with_md5(with_md5 || !plan.md5.empty() || x_sum.algorithm() == Algorithm::md5) {
    if (call.auth.payload == auth::PayloadForm::sha256) {
      x_sha256.emplace(Algorithm::sha256);
    }
    const unsigned worker = worker_index();
    const auto& engines = call.config.md5_engines;
    if (x_with_md5 && worker < engines.size() && engines[worker] != nullptr) {
      x_engine = engines[worker];
      x_stream.emplace(*x_engine);
    }
  }

  Async<> update(ConstBytes piece) {
    x_size += piece.size();
    const bool both = x_sha256 && x_sum.algorithm() == Algorithm::sha256;
    if (x_sum.algorithm() != Algorithm::md5 && !both) {
      x_sum.update(piece);
    }
    if (x_sha256) {
      x_sha256->update(piece);
    }
    if (x_engine != nullptr) {
      co_await x_engine->update(x_md5, piece);
    } else if (x_with_md5) {
      digest::md5_update(x_md5, piece);
    }
  }

  /// `trailer`: the trailer's value as sent, if the plan has one.
  Outcome<Received> finish(std::optional<std::string_view> trailer) {
    if (x_plan.length && x_size != *x_plan.length) {
      return fail(Code::incomplete_body);
    }
    const std::string md5 = x_with_md5 ? raw_md5() : std::string();
    if (!x_plan.md5.empty() && x_plan.md5 != md5) {
      return fail(Code::bad_digest, {},
                  {{"ExpectedDigest", digest::to_base64(as_bytes(x_plan.md5))},
                   {"CalculatedDigest", digest::to_base64(as_bytes(md5))}});
    }
    const std::string sha256 = x_sha256 ? x_sha256->value() : std::string();
    S3_TRYV(check_sha256(sha256));
    Received out{x_size, digest::to_hex(as_bytes(md5)), {x_sum.algorithm(), {}, {}}};
    switch (x_sum.algorithm()) {
      case Algorithm::md5:
        out.checksum.value = md5;
        break;
      case Algorithm::sha256:
        out.checksum.value = x_sha256 ? sha256 : x_sum.value();
        break;
      default:
        out.checksum.value = x_sum.value();
        break;
    }
    S3_TRYV(check_checksum(out.checksum.value, trailer));
    return out;
  }

  std::uint64_t size() const { return x_size; }

 private:
  std::string raw_md5() const {
    const digest::Md5Value value = digest::md5_value(x_md5);
    return std::string(as_text(value));
  }

  Outcome<> check_sha256(const std::string& raw) const {
    if (x_sha256 && digest::to_hex(as_bytes(raw)) != x_call.auth.payload_sha256) {
      return fail(Code::content_sha256_mismatch, {},
                  {{"ClientComputedContentSHA256", x_call.auth.payload_sha256},
                   {"S3ComputedContentSHA256", digest::to_hex(as_bytes(raw))}});
    }
    return {};
  }

  Outcome<> check_checksum(const std::string& computed,
                           std::optional<std::string_view> trailer) const {
    if (x_plan.algorithm == Algorithm::none) {
      return {};
    }
    std::string expected = x_plan.checksum;
    if (!x_plan.trailer.empty()) {
      if (!trailer) {
        return fail(Code::malformed_trailer);
      }
      S3_TRY(expected, checksum_value(x_plan.algorithm, *trailer));
    }
    if (expected != computed) {
      return fail(Code::bad_digest, "The " + std::string(digest::name(x_plan.algorithm)) +
                                        " you specified did not match the calculated checksum.");
    }
    return {};
  }

  const Call& x_call;
  const PayloadPlan& x_plan;
  digest::Digest x_sum;
  bool x_with_md5;
  std::optional<digest::Digest> x_sha256;
  digest::Md5State x_md5;
  digest::Md5Engine* x_engine = nullptr;
  std::optional<digest::Md5Engine::Stream> x_stream;
  std::uint64_t x_size = 0;
};

/// The body without chunk framing: the session's reader, or the aws-chunked decoder around it.
class PayloadBody {
 public:
  explicit PayloadBody(http::BodyReader& plain) : x_plain(plain) {}
  Outcome<> open(const Call& call, const PayloadPlan& plan) {
    if (plan.streaming) {
      auto options = auth::chunk_options(call.request, call.auth);
      if (!options) {
        return fail(chunk_code(options.error()));
      }
      x_chunked.emplace(x_plain, std::move(*options));
    }
    return {};
  }
  /// Fills `out` unless the body ends before; the bytes read.
  Async<Outcome<std::size_t>> fill(MutBytes out) {
    http::BodyReader& body = x_chunked ? static_cast<http::BodyReader&>(*x_chunked) : x_plain;
    std::size_t filled = 0;
    while (filled < out.size()) {
      const auto n = co_await body.read_some(out.subspan(filled));
      if (!n) {
        co_return std::unexpected(read_error(n.error()));
      }
      if (*n == 0) {
        break;
      }
      filled += *n;
    }
    co_return filled;
  }
  /// Whether there is nothing more: framing and trailers are still to come then, and are read.
  Async<Outcome<bool>> ends() {
    std::array<std::byte, 1> nothing;
    S3_CO_TRY(const std::size_t n, co_await fill(nothing));
    co_return n == 0;
  }
  std::optional<std::string_view> trailer(std::string_view name) const {
    if (x_chunked) {
      for (const http::Header& h : x_chunked->trailers()) {
        if (h.name == name) {
          return h.value;
        }
      }
    }
    return std::nullopt;
  }

 private:
  S3Error read_error(const Error& error) const {
    S3Error out(error);
    if (x_chunked && x_chunked->last_error() != auth::ChunkError::none) {
      out.code = chunk_code(x_chunked->last_error());
    } else if (error.code() == Errc::invalid_argument) {  // broken HTTP chunking
      out.code = Code::incomplete_body;
    }
    return out;
  }

  http::BodyReader& x_plain;
  std::optional<auth::ChunkedBodyReader> x_chunked;
};

}  // namespace

Task<> append(ns::ObjectWriter& writer, ConstBytes bytes) {
  while (!bytes.empty()) {
    CO_TRY(const MutBytes room, co_await writer.buffer());
    const std::size_t n = std::min(room.size(), bytes.size());
    std::ranges::copy(bytes.first(n), room.begin());
    CO_TRYV(co_await writer.advance(n));
    bytes = bytes.subspan(n);
  }
  co_return ok();
}

Outcome<std::string> checksum_value(Algorithm algorithm, std::string_view text) {
  auto raw = digest::from_base64(text);
  if (!raw || raw->size() != digest::size_of(algorithm)) {
    return fail(Code::invalid_checksum,
                "Value for " + std::string(digest::header_name(algorithm)) + " header is invalid.");
  }
  return std::move(*raw);
}

Outcome<Algorithm> named_algorithm(std::optional<std::string_view> name) {
  if (!name || name->empty()) {
    return Algorithm::none;
  }
  const auto algorithm = digest::parse_name(*name);
  if (!algorithm || *algorithm == Algorithm::none) {
    return fail(Code::invalid_request,
                "Checksum algorithm provided is unsupported. Please try again with any of the "
                "valid types: [CRC32, CRC32C, CRC64NVME, MD5, SHA1, SHA256, SHA512, XXHASH128, "
                "XXHASH3, XXHASH64]");
  }
  return *algorithm;
}

Outcome<PayloadPlan> plan_payload(const Call& call) {
  PayloadPlan plan;
  plan.streaming = is_streaming(call.auth.payload);
  if (const auto md5 = call.header("content-md5")) {
    auto raw = digest::from_base64(*md5);
    if (!raw || raw->size() != digest::size_of(Algorithm::md5)) {
      return fail(Code::invalid_digest, {}, {{"Content-MD5", std::string(*md5)}});
    }
    plan.md5 = std::move(*raw);
  }
  if (call.op.body != BodyPolicy::completion) {
    S3_TRYV(plan_header_checksum(call, plan));
  }
  S3_TRYV(plan_trailer_checksum(call, plan));
  S3_TRYV(plan_sdk_algorithm(call, plan));
  S3_TRYV(plan_length(call, plan));
  return plan;
}

namespace {

std::unexpected<S3Error> too_large(std::uint64_t size) {
  return fail(
      Code::entity_too_large, {},
      {{"ProposedSize", std::to_string(size)}, {"MaxSizeAllowed", std::to_string(kMaxPutBytes)}});
}

}  // namespace

Outcome<PayloadPlan> plan_object(const Call& call) {
  S3_TRY(PayloadPlan plan, plan_payload(call));
  if (!plan.length && plan.streaming) {  // what a signature covers has a length
    return fail(Code::missing_content_length);
  }
  if (plan.length.value_or(0) > kMaxPutBytes) {
    return too_large(*plan.length);
  }
  return plan;
}

Async<Outcome<Received>> receive_object(
    Call& call, ns::ObjectWriter& writer, const PayloadPlan& plan, Algorithm also, bool with_md5) {
  const std::uint64_t most = plan.length.value_or(kMaxPutBytes);
  Verifier verifier(call, plan, also, with_md5 && !has_fast_etags(call));
  PayloadBody body(call.body);
  S3_CO_TRYV(body.open(call, plan));
  bool ended = false;
  while (!ended && verifier.size() < most) {
    S3_CO_TRY(const MutBytes room, co_await writer.buffer());
    const std::uint64_t left = most - verifier.size();
    const MutBytes piece = room.first(std::min<std::uint64_t>(room.size(), left));
    S3_CO_TRY(const std::size_t filled, co_await body.fill(piece));
    ended = filled < piece.size();
    if (filled == 0) {
      break;
    }
    co_await verifier.update(piece.first(filled));
    S3_CO_TRYV(co_await writer.advance(filled));
  }
  if (ended && plan.length) {
    co_return fail(Code::incomplete_body);
  }
  if (!ended && (!plan.length || *plan.length == 0)) {
    S3_CO_TRY(ended, co_await body.ends());
    if (!ended) {
      co_return plan.length ? fail(Code::incomplete_body) : too_large(most + 1);
    }
  }
  co_return verifier.finish(body.trailer(plan.trailer));
}

Async<Outcome<std::string>> receive_document(Call& call) {
  S3_CO_TRY(const PayloadPlan plan, plan_payload(call));
  if (call.op.body == BodyPolicy::digested_document && plan.md5.empty() &&
      plan.algorithm == Algorithm::none) {
    co_return fail(Code::invalid_request, "Missing required header for this request: Content-MD5");
  }
  if (plan.length.value_or(0) > kMaxDocumentBytes) {
    co_return fail(Code::max_message_length_exceeded, {},
                   {{"MaxMessageLengthBytes", std::to_string(kMaxDocumentBytes)}});
  }
  Verifier verifier(call, plan, Algorithm::none, false);
  PayloadBody body(call.body);
  S3_CO_TRYV(body.open(call, plan));
  // One byte more than is allowed, for a body of unknown length.
  const std::size_t room = static_cast<std::size_t>(plan.length.value_or(kMaxDocumentBytes)) + 1;
  std::string text(room, '\0');
  const MutBytes all = std::as_writable_bytes(std::span(text));
  S3_CO_TRY(const std::size_t filled, co_await body.fill(all));
  text.resize(filled);
  if (text.size() > kMaxDocumentBytes) {
    co_return fail(Code::max_message_length_exceeded);
  }
  co_await verifier.update(as_bytes(text));
  S3_CO_TRYV(verifier.finish(body.trailer(plan.trailer)));
  co_return text;
}

}  // namespace outcrop::s3
