// The operations of NFSv4: one handler each (op_table.h), and what several of them share.
#pragma once
#include "api/nfs/v4/compound.h"

namespace outcrop::nfs::v4 {

/// The first that is not ok.
inline Status first_error(Status a, Status b) { return a == Status::ok ? b : a; }

inline Verifier read_verifier(XdrReader& in) {
  Verifier out{};
  const ConstBytes bytes = in.fixed_opaque(out.size());
  std::ranges::copy(bytes, out.begin());
  return out;
}
inline Stateid read_stateid(XdrReader& in) {
  Stateid out;
  out.seqid = in.u32();
  std::ranges::copy(in.fixed_opaque(out.other.size()), out.other.begin());
  return out;
}
inline void write_stateid(XdrWriter& out, const Stateid& id) {
  out.u32(id.seqid);
  out.fixed_opaque(id.other);
}
void write_change(XdrWriter& out, const ns::DirectoryChange& change);

/// Owner and group of a new object: the caller's, or the directory's group if it is set-gid.
ns::SetAttributes owned(const FileRef& parent, ns::SetAttributes set);
/// Whether the caller may give a new object these attributes: perm.
Status check_create_attributes(const FileRef& parent, const ns::SetAttributes& set);

#define OUTCROP_NFS4_OP(name) Async<Status> op_##name(Compound& c, XdrReader& in, XdrWriter& out)
OUTCROP_NFS4_OP(access);
OUTCROP_NFS4_OP(allocate);
OUTCROP_NFS4_OP(backchannel_ctl);
OUTCROP_NFS4_OP(bind_conn_to_session);
OUTCROP_NFS4_OP(clone);
OUTCROP_NFS4_OP(close);
OUTCROP_NFS4_OP(commit);
OUTCROP_NFS4_OP(copy);
OUTCROP_NFS4_OP(create);
OUTCROP_NFS4_OP(create_session);
OUTCROP_NFS4_OP(deallocate);
OUTCROP_NFS4_OP(delegpurge);
OUTCROP_NFS4_OP(delegreturn);
OUTCROP_NFS4_OP(destroy_clientid);
OUTCROP_NFS4_OP(destroy_session);
OUTCROP_NFS4_OP(exchange_id);
OUTCROP_NFS4_OP(free_stateid);
OUTCROP_NFS4_OP(getattr);
OUTCROP_NFS4_OP(getfh);
OUTCROP_NFS4_OP(getxattr);
OUTCROP_NFS4_OP(io_advise);
OUTCROP_NFS4_OP(link);
OUTCROP_NFS4_OP(listxattrs);
OUTCROP_NFS4_OP(lock);
OUTCROP_NFS4_OP(lockt);
OUTCROP_NFS4_OP(locku);
OUTCROP_NFS4_OP(lookup);
OUTCROP_NFS4_OP(lookupp);
OUTCROP_NFS4_OP(nverify);
OUTCROP_NFS4_OP(open);
OUTCROP_NFS4_OP(open_confirm);
OUTCROP_NFS4_OP(open_downgrade);
OUTCROP_NFS4_OP(putfh);
OUTCROP_NFS4_OP(putrootfh);
OUTCROP_NFS4_OP(read);
OUTCROP_NFS4_OP(readdir);
OUTCROP_NFS4_OP(readlink);
OUTCROP_NFS4_OP(reclaim_complete);
OUTCROP_NFS4_OP(release_lockowner);
OUTCROP_NFS4_OP(remove);
OUTCROP_NFS4_OP(removexattr);
OUTCROP_NFS4_OP(rename);
OUTCROP_NFS4_OP(renew);
OUTCROP_NFS4_OP(restorefh);
OUTCROP_NFS4_OP(savefh);
OUTCROP_NFS4_OP(secinfo);
OUTCROP_NFS4_OP(secinfo_no_name);
OUTCROP_NFS4_OP(seek);
OUTCROP_NFS4_OP(sequence);
OUTCROP_NFS4_OP(setattr);
OUTCROP_NFS4_OP(setclientid);
OUTCROP_NFS4_OP(setclientid_confirm);
OUTCROP_NFS4_OP(setxattr);
OUTCROP_NFS4_OP(test_stateid);
OUTCROP_NFS4_OP(unsupported);
OUTCROP_NFS4_OP(verify);
OUTCROP_NFS4_OP(write);
#undef OUTCROP_NFS4_OP

}  // namespace outcrop::nfs::v4
