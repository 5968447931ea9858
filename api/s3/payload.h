// Request bodies: an object's bytes into an ObjectWriter, or a document into memory. Whatever the
// client said about them (length, Content-MD5, checksums, trailers, signed sha256) is verified
// before the caller may commit anything.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "api/s3/call.h"
#include "storage/digest/algorithm.h"
#include "storage/ns/namespace.h"

namespace outcrop::s3 {

inline constexpr std::uint64_t kMaxPutBytes = ns::kMaxPartBytes;  ///< one request, as AWS
inline constexpr std::size_t kMaxDocumentBytes = std::size_t{2} << 20;

/// What the headers promise about the body. Pure; errors are the client's.
struct PayloadPlan {
  std::optional<std::uint64_t> length;  ///< of the payload itself, without chunk framing
  std::string md5;                      ///< raw Content-MD5; empty: none
  digest::Algorithm algorithm = digest::Algorithm::none;
  std::string checksum;    ///< raw expected value; empty: it comes in the trailer
  std::string trailer;     ///< the trailer that carries it; empty: none
  bool streaming = false;  ///< aws-chunked
};
Outcome<PayloadPlan> plan_payload(const Call& call);
/// The same for an object or a part: its length must be allowed, and known if it is aws-chunked; a
/// body in HTTP chunks may end where it wants. MissingContentLength, EntityTooLarge.
Outcome<PayloadPlan> plan_object(const Call& call);

/// Writes bytes that are in memory already.
Task<> append(ns::ObjectWriter& writer, ConstBytes bytes);

/// The value of an x-amz-checksum-* header: base64 of exactly the algorithm's length.
Outcome<std::string> checksum_value(digest::Algorithm algorithm, std::string_view text);
/// CRC32... of x-amz-checksum-algorithm and x-amz-sdk-checksum-algorithm; none if absent.
Outcome<digest::Algorithm> named_algorithm(std::optional<std::string_view> name);

/// What arrived, and matched what was promised.
struct Received {
  std::uint64_t size = 0;
  /// Hex: the ETag. Empty in buckets with fast ETags and where nobody wanted it, unless it had to
  /// be computed anyway.
  std::string md5;
  digest::Checksum checksum;
};

/// Reads the whole body straight into `writer`. `also` is computed if the client named no checksum
/// (a part of an upload that has one), the MD5 if the client named one or `with_md5` is true. The
/// plan is from plan_object(). IncompleteBody, BadDigest, XAmzContentSHA256Mismatch, and what the
/// writer says.
Async<Outcome<Received>> receive_object(Call& call,
                                        ns::ObjectWriter& writer,
                                        const PayloadPlan& plan,
                                        digest::Algorithm also,
                                        bool with_md5 = true);

/// The whole body as text, verified; MaxMessageLengthExceeded above kMaxDocumentBytes.
Async<Outcome<std::string>> receive_document(Call& call);

}  // namespace outcrop::s3
