// One row per operation: how it is recognised, which permission it needs, who serves it.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "api/http/message.h"
#include "api/s3/error.h"
#include "api/s3/op_id.h"
#include "auth/policy/action.h"

namespace outcrop::s3 {

struct Call;

enum class Method : std::uint8_t { get, head, put, post, del };
enum class Scope : std::uint8_t { service, bucket, object };
/// What the request body is, and what x-amz-checksum-* and Content-MD5 say about it.
enum class BodyPolicy : std::uint8_t {
  none,               ///< ignored
  payload,            ///< the bytes of an object
  document,           ///< XML
  digested_document,  ///< XML that must come with a digest: a cut list must not delete half of it
  completion,         ///< XML; checksum headers are about the object that is completed
};

using OpHandler = Async<Outcome<http::Response>> (*)(Call&);

struct Op {
  OpId id;
  std::string_view name;  ///< as AWS calls it; in metrics and logs
  Method method;
  Scope scope;
  std::string_view subresource;  ///< query parameter that selects it; "list-type=2" with a value
  std::string_view header;       ///< header that selects it, e.g. x-amz-copy-source
  std::string_view action;       ///< IAM action
  BodyPolicy body;
  OpHandler handler;
};

/// In the order the router tries them: the more exact row first.
std::span<const Op> op_table();
/// The first row of an operation that has one.
const Op& op_row(OpId id);
/// The action of a row of the table.
policy::Action action_of(const Op& op);
/// Whether the operation can be about a version that versionId names. Of those that are not
/// implemented, the answer is that they are not.
bool takes_version(OpId id);

}  // namespace outcrop::s3
