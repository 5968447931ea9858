#include "api/nfs/v4/open_args.h"

#include "api/nfs/v4/ops.h"

namespace outcrop::nfs::v4 {
namespace {

void read_create(XdrReader& in, unsigned minor, OpenArguments& out) {
  const std::uint32_t how = in.u32();
  if (how > (minor == 0 ? 2U : 3U)) {
    in.fail();
    return;
  }
  out.create = static_cast<CreateHow>(how);
  if (how >= 2) {
    out.verifier = read_verifier(in);
  }
  if (how != 2) {
    out.attributes = WireAttributes::read(in);
  }
}

void read_claim(XdrReader& in, unsigned minor, OpenArguments& out) {
  const std::uint32_t claim = in.u32();
  if (claim > (minor == 0 ? 3U : 6U)) {
    in.fail();
    return;
  }
  out.claim = static_cast<Claim>(claim);
  switch (out.claim) {
    case Claim::previous:
      out.delegation_type = in.u32();
      break;
    case Claim::delegate_cur:
      out.delegation = read_stateid(in);
      out.name = in.string(kMaxRecordBytes);
      break;
    case Claim::deleg_cur_fh:
      out.delegation = read_stateid(in);
      break;
    case Claim::null:
    case Claim::delegate_prev:
      out.name = in.string(kMaxRecordBytes);
      break;
    case Claim::fh:
    case Claim::deleg_prev_fh:
      break;
  }
}

}  // namespace

OpenArguments read_open(XdrReader& in, unsigned minor) {
  OpenArguments out;
  out.seqid = in.u32();
  out.share_access = in.u32();
  out.share_deny = in.u32();
  out.client = in.u64();
  out.owner = in.string(kMaxOwnerBytes);
  if (in.u32() == 1) {
    read_create(in, minor, out);
  }
  read_claim(in, minor, out);
  return out;
}

}  // namespace outcrop::nfs::v4
