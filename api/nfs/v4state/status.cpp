#include "api/nfs/v4state/status.h"

namespace outcrop::nfs {

// clang-format off
std::string_view to_string(Status status) noexcept {
  switch (status) {
    case Status::ok: return "NFS4_OK";
    case Status::perm: return "NFS4ERR_PERM";
    case Status::noent: return "NFS4ERR_NOENT";
    case Status::io: return "NFS4ERR_IO";
    case Status::nxio: return "NFS4ERR_NXIO";
    case Status::access: return "NFS4ERR_ACCESS";
    case Status::exist: return "NFS4ERR_EXIST";
    case Status::xdev: return "NFS4ERR_XDEV";
    case Status::notdir: return "NFS4ERR_NOTDIR";
    case Status::isdir: return "NFS4ERR_ISDIR";
    case Status::inval: return "NFS4ERR_INVAL";
    case Status::fbig: return "NFS4ERR_FBIG";
    case Status::nospc: return "NFS4ERR_NOSPC";
    case Status::rofs: return "NFS4ERR_ROFS";
    case Status::mlink: return "NFS4ERR_MLINK";
    case Status::nametoolong: return "NFS4ERR_NAMETOOLONG";
    case Status::notempty: return "NFS4ERR_NOTEMPTY";
    case Status::dquot: return "NFS4ERR_DQUOT";
    case Status::stale: return "NFS4ERR_STALE";
    case Status::badhandle: return "NFS4ERR_BADHANDLE";
    case Status::bad_cookie: return "NFS4ERR_BAD_COOKIE";
    case Status::notsupp: return "NFS4ERR_NOTSUPP";
    case Status::toosmall: return "NFS4ERR_TOOSMALL";
    case Status::serverfault: return "NFS4ERR_SERVERFAULT";
    case Status::badtype: return "NFS4ERR_BADTYPE";
    case Status::delay: return "NFS4ERR_DELAY";
    case Status::same: return "NFS4ERR_SAME";
    case Status::denied: return "NFS4ERR_DENIED";
    case Status::expired: return "NFS4ERR_EXPIRED";
    case Status::locked: return "NFS4ERR_LOCKED";
    case Status::grace: return "NFS4ERR_GRACE";
    case Status::fhexpired: return "NFS4ERR_FHEXPIRED";
    case Status::share_denied: return "NFS4ERR_SHARE_DENIED";
    case Status::wrongsec: return "NFS4ERR_WRONGSEC";
    case Status::clid_inuse: return "NFS4ERR_CLID_INUSE";
    case Status::resource: return "NFS4ERR_RESOURCE";
    case Status::moved: return "NFS4ERR_MOVED";
    case Status::nofilehandle: return "NFS4ERR_NOFILEHANDLE";
    case Status::minor_vers_mismatch: return "NFS4ERR_MINOR_VERS_MISMATCH";
    case Status::stale_clientid: return "NFS4ERR_STALE_CLIENTID";
    case Status::stale_stateid: return "NFS4ERR_STALE_STATEID";
    case Status::old_stateid: return "NFS4ERR_OLD_STATEID";
    case Status::bad_stateid: return "NFS4ERR_BAD_STATEID";
    case Status::bad_seqid: return "NFS4ERR_BAD_SEQID";
    case Status::not_same: return "NFS4ERR_NOT_SAME";
    case Status::lock_range: return "NFS4ERR_LOCK_RANGE";
    case Status::symlink: return "NFS4ERR_SYMLINK";
    case Status::restorefh: return "NFS4ERR_RESTOREFH";
    case Status::lease_moved: return "NFS4ERR_LEASE_MOVED";
    case Status::attrnotsupp: return "NFS4ERR_ATTRNOTSUPP";
    case Status::no_grace: return "NFS4ERR_NO_GRACE";
    case Status::reclaim_bad: return "NFS4ERR_RECLAIM_BAD";
    case Status::reclaim_conflict: return "NFS4ERR_RECLAIM_CONFLICT";
    case Status::badxdr: return "NFS4ERR_BADXDR";
    case Status::locks_held: return "NFS4ERR_LOCKS_HELD";
    case Status::openmode: return "NFS4ERR_OPENMODE";
    case Status::badowner: return "NFS4ERR_BADOWNER";
    case Status::badchar: return "NFS4ERR_BADCHAR";
    case Status::badname: return "NFS4ERR_BADNAME";
    case Status::bad_range: return "NFS4ERR_BAD_RANGE";
    case Status::lock_notsupp: return "NFS4ERR_LOCK_NOTSUPP";
    case Status::op_illegal: return "NFS4ERR_OP_ILLEGAL";
    case Status::deadlock: return "NFS4ERR_DEADLOCK";
    case Status::file_open: return "NFS4ERR_FILE_OPEN";
    case Status::admin_revoked: return "NFS4ERR_ADMIN_REVOKED";
    case Status::cb_path_down: return "NFS4ERR_CB_PATH_DOWN";
    case Status::badiomode: return "NFS4ERR_BADIOMODE";
    case Status::badlayout: return "NFS4ERR_BADLAYOUT";
    case Status::bad_session_digest: return "NFS4ERR_BAD_SESSION_DIGEST";
    case Status::badsession: return "NFS4ERR_BADSESSION";
    case Status::badslot: return "NFS4ERR_BADSLOT";
    case Status::complete_already: return "NFS4ERR_COMPLETE_ALREADY";
    case Status::conn_not_bound_to_session: return "NFS4ERR_CONN_NOT_BOUND_TO_SESSION";
    case Status::deleg_already_wanted: return "NFS4ERR_DELEG_ALREADY_WANTED";
    case Status::back_chan_busy: return "NFS4ERR_BACK_CHAN_BUSY";
    case Status::layouttrylater: return "NFS4ERR_LAYOUTTRYLATER";
    case Status::layoutunavailable: return "NFS4ERR_LAYOUTUNAVAILABLE";
    case Status::nomatching_layout: return "NFS4ERR_NOMATCHING_LAYOUT";
    case Status::recallconflict: return "NFS4ERR_RECALLCONFLICT";
    case Status::unknown_layouttype: return "NFS4ERR_UNKNOWN_LAYOUTTYPE";
    case Status::seq_misordered: return "NFS4ERR_SEQ_MISORDERED";
    case Status::sequence_pos: return "NFS4ERR_SEQUENCE_POS";
    case Status::req_too_big: return "NFS4ERR_REQ_TOO_BIG";
    case Status::rep_too_big: return "NFS4ERR_REP_TOO_BIG";
    case Status::rep_too_big_to_cache: return "NFS4ERR_REP_TOO_BIG_TO_CACHE";
    case Status::retry_uncached_rep: return "NFS4ERR_RETRY_UNCACHED_REP";
    case Status::unsafe_compound: return "NFS4ERR_UNSAFE_COMPOUND";
    case Status::too_many_ops: return "NFS4ERR_TOO_MANY_OPS";
    case Status::op_not_in_session: return "NFS4ERR_OP_NOT_IN_SESSION";
    case Status::hash_alg_unsupp: return "NFS4ERR_HASH_ALG_UNSUPP";
    case Status::clientid_busy: return "NFS4ERR_CLIENTID_BUSY";
    case Status::pnfs_io_hole: return "NFS4ERR_PNFS_IO_HOLE";
    case Status::seq_false_retry: return "NFS4ERR_SEQ_FALSE_RETRY";
    case Status::bad_high_slot: return "NFS4ERR_BAD_HIGH_SLOT";
    case Status::deadsession: return "NFS4ERR_DEADSESSION";
    case Status::encr_alg_unsupp: return "NFS4ERR_ENCR_ALG_UNSUPP";
    case Status::pnfs_no_layout: return "NFS4ERR_PNFS_NO_LAYOUT";
    case Status::not_only_op: return "NFS4ERR_NOT_ONLY_OP";
    case Status::wrong_cred: return "NFS4ERR_WRONG_CRED";
    case Status::wrong_type: return "NFS4ERR_WRONG_TYPE";
    case Status::dirdeleg_unavail: return "NFS4ERR_DIRDELEG_UNAVAIL";
    case Status::reject_deleg: return "NFS4ERR_REJECT_DELEG";
    case Status::returnconflict: return "NFS4ERR_RETURNCONFLICT";
    case Status::deleg_revoked: return "NFS4ERR_DELEG_REVOKED";
    case Status::partner_notsupp: return "NFS4ERR_PARTNER_NOTSUPP";
    case Status::partner_no_auth: return "NFS4ERR_PARTNER_NO_AUTH";
    case Status::union_notsupp: return "NFS4ERR_UNION_NOTSUPP";
    case Status::offload_denied: return "NFS4ERR_OFFLOAD_DENIED";
    case Status::wrong_lfs: return "NFS4ERR_WRONG_LFS";
    case Status::badlabel: return "NFS4ERR_BADLABEL";
    case Status::offload_no_reqs: return "NFS4ERR_OFFLOAD_NO_REQS";
    case Status::noxattr: return "NFS4ERR_NOXATTR";
    case Status::xattr2big: return "NFS4ERR_XATTR2BIG";
  }
  return "NFS4ERR_?";
}
// clang-format on

}  // namespace outcrop::nfs
