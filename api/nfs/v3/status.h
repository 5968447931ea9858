// nfsstat3 (RFC 1813 section 2.6) and how the errors of the store become one.
#pragma once
#include <cstdint>

#include "storage/base/result.h"

namespace outcrop::nfs::v3 {

enum class Status : std::uint32_t {
  ok = 0,
  perm = 1,
  noent = 2,
  io = 5,
  nxio = 6,
  acces = 13,
  exist = 17,
  xdev = 18,
  nodev = 19,
  notdir = 20,
  isdir = 21,
  inval = 22,
  fbig = 27,
  nospc = 28,
  rofs = 30,
  mlink = 31,
  nametoolong = 63,
  notempty = 66,
  dquot = 69,
  stale = 70,
  remote = 71,
  badhandle = 10001,
  not_sync = 10002,
  bad_cookie = 10003,
  notsupp = 10004,
  toosmall = 10005,
  serverfault = 10006,
  badtype = 10007,
  jukebox = 10008,
  /// Not of the protocol: the arguments do not parse, and RPC says so.
  garbage = UINT32_MAX,
};

Status to_status(Errc code);
inline Status to_status(const Error& error) { return to_status(error.code()); }
template <class T>
Status to_status(const Result<T>& result) {
  return result ? Status::ok : to_status(result.error());
}

}  // namespace outcrop::nfs::v3
