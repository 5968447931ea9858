// What a change of identities can fail with, as IAM names it; the text is for the client.
#pragma once
#include <cstdint>
#include <expected>
#include <string>

#include "storage/base/task.h"

namespace outcrop::identity {

enum class IamCode : std::uint8_t {
  no_such_entity,
  entity_already_exists,
  delete_conflict,
  limit_exceeded,
  malformed_policy,
  validation,
  invalid_input,
  access_denied,
  invalid_token,
  expired_token,
  rejected_claim,
  provider_unreachable,
  packed_too_large,
  not_implemented,
  unavailable,  ///< the change could not be stored; `message` says why, for the log
};

struct IamError {
  IamCode code = IamCode::validation;
  std::string message;
};

template <class T = void>
using Checked = std::expected<T, IamError>;
template <class T = void>
using Change = Async<Checked<T>>;

inline std::unexpected<IamError> refuse(IamCode code, std::string message) {
  return std::unexpected<IamError>(IamError{code, std::move(message)});
}

}  // namespace outcrop::identity
