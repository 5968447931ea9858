// Arguments of OPEN (RFC 8881 section 18.16.1), decoded but not judged.
#pragma once
#include <optional>
#include <string_view>

#include "api/nfs/v4/attributes.h"
#include "api/nfs/v4state/types.h"

namespace outcrop::nfs::v4 {

enum class CreateHow : std::uint32_t { unchecked = 0, guarded = 1, exclusive = 2, exclusive_1 = 3 };

enum class Claim : std::uint32_t {
  null = 0,
  previous = 1,
  delegate_cur = 2,
  delegate_prev = 3,
  fh = 4,
  deleg_cur_fh = 5,
  deleg_prev_fh = 6,
};

struct OpenArguments {
  std::uint32_t seqid = 0;
  std::uint32_t share_access = 0, share_deny = 0;
  ClientId client = 0;
  std::string_view owner;
  std::optional<CreateHow> create;
  WireAttributes attributes;  ///< of a create
  Verifier verifier{};        ///< of an exclusive create
  Claim claim = Claim::null;
  std::string_view name;              ///< null and the delegate claims by name
  std::uint32_t delegation_type = 0;  ///< previous
  Stateid delegation;                 ///< delegate_cur, deleg_cur_fh

  bool by_handle() const {
    return claim == Claim::previous || claim == Claim::fh || claim == Claim::deleg_cur_fh ||
           claim == Claim::deleg_prev_fh;
  }
};

/// Fails the reader for enumerators that the minor version does not have.
OpenArguments read_open(XdrReader& in, unsigned minor);

}  // namespace outcrop::nfs::v4
