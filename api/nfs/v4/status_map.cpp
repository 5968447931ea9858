#include "api/nfs/v4/status_map.h"

namespace outcrop::nfs::v4 {

Status to_status(Errc code) {
  switch (code) {
      // clang-format off: what a file client cannot be told anything about.
    case Errc::internal: case Errc::config: case Errc::not_modified: case Errc::conflict:
    case Errc::bad_digest: case Errc::no_such_upload: case Errc::invalid_part:
    case Errc::invalid_part_order: case Errc::entity_too_small: case Errc::precondition_failed:
    case Errc::no_object_lock: case Errc::bucket_state:
      // clang-format on
      return Status::serverfault;
    case Errc::cancelled:
    case Errc::timed_out:
    case Errc::overloaded:
      return Status::delay;
    case Errc::invalid_argument:
      return Status::inval;
    case Errc::access_denied:
    case Errc::sealed:
    case Errc::object_locked:
      return Status::access;
    case Errc::no_such_bucket:
    case Errc::stale:
      return Status::stale;
    case Errc::no_such_key:
    case Errc::no_such_version:
    case Errc::key_deleted:
    case Errc::delete_marker:
    case Errc::not_found:
      return Status::noent;
    case Errc::entity_too_large:
      return Status::fbig;
    case Errc::bucket_exists:
    case Errc::already_exists:
      return Status::exist;
    case Errc::bucket_not_empty:
    case Errc::not_empty:
      return Status::notempty;
    case Errc::key_too_long:
    case Errc::name_too_long:
      return Status::nametoolong;
    case Errc::range_not_satisfiable:
      return Status::nxio;
    case Errc::no_space:
      return Status::nospc;
    case Errc::quota_exceeded:
      return Status::dquot;
    case Errc::read_only:
      return Status::rofs;
    case Errc::io_error:
    case Errc::corrupt:
    case Errc::unavailable:
      return Status::io;
    case Errc::not_implemented:
      return Status::notsupp;
    case Errc::not_directory:
      return Status::notdir;
    case Errc::is_directory:
      return Status::isdir;
    case Errc::too_many_links:
      return Status::mlink;
    case Errc::cross_bucket:
      return Status::xdev;
    case Errc::bad_cookie:
      return Status::bad_cookie;
    case Errc::no_xattr:
      return Status::noxattr;
    case Errc::not_permitted:
      return Status::perm;
  }
  return Status::serverfault;
}

}  // namespace outcrop::nfs::v4
