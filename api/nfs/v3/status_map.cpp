#include "api/nfs/v3/status.h"

namespace outcrop::nfs::v3 {

Status to_status(Errc code) {
  switch (code) {  // no default: a new Errc does not build until it is decided here
    case Errc::not_permitted:
      return Status::perm;
    case Errc::no_such_key:
    case Errc::no_such_version:
    case Errc::key_deleted:
    case Errc::delete_marker:
    case Errc::not_found:
      return Status::noent;
    case Errc::io_error:
    case Errc::corrupt:
    case Errc::unavailable:
      return Status::io;
    case Errc::range_not_satisfiable:
    case Errc::no_xattr:
      return Status::nxio;
    case Errc::access_denied:
    case Errc::sealed:
    case Errc::object_locked:
      return Status::acces;
    case Errc::bucket_exists:
    case Errc::already_exists:
      return Status::exist;
    case Errc::cross_bucket:
      return Status::xdev;
    case Errc::not_directory:
      return Status::notdir;
    case Errc::is_directory:
      return Status::isdir;
    case Errc::invalid_argument:
      return Status::inval;
    case Errc::entity_too_large:
      return Status::fbig;
    case Errc::no_space:
      return Status::nospc;
    case Errc::read_only:
      return Status::rofs;
    case Errc::too_many_links:
      return Status::mlink;
    case Errc::key_too_long:
    case Errc::name_too_long:
      return Status::nametoolong;
    case Errc::bucket_not_empty:
    case Errc::not_empty:
      return Status::notempty;
    case Errc::no_such_bucket:
    case Errc::stale:
      return Status::stale;
    case Errc::precondition_failed:
      return Status::not_sync;
    case Errc::bad_cookie:
      return Status::bad_cookie;
    case Errc::not_implemented:
      return Status::notsupp;
    case Errc::cancelled:
    case Errc::timed_out:
    case Errc::overloaded:
    case Errc::conflict:
      return Status::jukebox;  // the client asks again
      // clang-format off: in one line, and what a file client cannot be told anything about.
    case Errc::quota_exceeded: return Status::dquot;
    case Errc::internal: case Errc::config: case Errc::not_modified: case Errc::bad_digest:
    case Errc::no_such_upload: case Errc::invalid_part: case Errc::invalid_part_order:
    case Errc::entity_too_small: case Errc::no_object_lock: case Errc::bucket_state:
      // clang-format on
      return Status::serverfault;
  }
  return Status::serverfault;
}

}  // namespace outcrop::nfs::v3
