// One row per NFSv4 operation: in which minor versions it exists, where in a compound it may stand,
// what it needs, and who serves it (RFC 7530 section 13, RFC 8881 section 17, RFC 7862 section 13,
// RFC 8276 section 8).
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "api/nfs/v4/attributes.h"
#include "api/nfs/xdr.h"
#include "storage/base/task.h"

namespace outcrop::nfs::v4 {

struct Compound;

inline constexpr unsigned kHighestMinor = 2;
inline constexpr std::uint32_t kOpIllegal = 10044;

enum class Op : std::uint32_t {
  access = 3,
  close = 4,
  commit = 5,
  create = 6,
  delegpurge = 7,
  delegreturn = 8,
  getattr = 9,
  getfh = 10,
  link = 11,
  lock = 12,
  lockt = 13,
  locku = 14,
  lookup = 15,
  lookupp = 16,
  nverify = 17,
  open = 18,
  openattr = 19,
  open_confirm = 20,
  open_downgrade = 21,
  putfh = 22,
  putpubfh = 23,
  putrootfh = 24,
  read = 25,
  readdir = 26,
  readlink = 27,
  remove = 28,
  rename = 29,
  renew = 30,
  restorefh = 31,
  savefh = 32,
  secinfo = 33,
  setattr = 34,
  setclientid = 35,
  setclientid_confirm = 36,
  verify = 37,
  write = 38,
  release_lockowner = 39,
  backchannel_ctl = 40,
  bind_conn_to_session = 41,
  exchange_id = 42,
  create_session = 43,
  destroy_session = 44,
  free_stateid = 45,
  get_dir_delegation = 46,
  getdeviceinfo = 47,
  getdevicelist = 48,
  layoutcommit = 49,
  layoutget = 50,
  layoutreturn = 51,
  secinfo_no_name = 52,
  sequence = 53,
  set_ssv = 54,
  test_stateid = 55,
  want_delegation = 56,
  destroy_clientid = 57,
  reclaim_complete = 58,
  allocate = 59,
  copy = 60,
  copy_notify = 61,
  deallocate = 62,
  io_advise = 63,
  layouterror = 64,
  layoutstats = 65,
  offload_cancel = 66,
  offload_status = 67,
  read_plus = 68,
  seek = 69,
  write_same = 70,
  clone = 71,
  getxattr = 72,
  setxattr = 73,
  listxattrs = 74,
  removexattr = 75,
};

/// Where an operation may stand in a compound of minor version 1 and up.
enum class Place : std::uint8_t {
  in_session,  ///< behind SEQUENCE
  first,       ///< SEQUENCE itself
  alone_too,   ///< behind SEQUENCE, or as the only operation
  alone,       ///< as the only operation
};

/// What the engine sees to before and after the handler.
struct Traits {
  bool current = false;   ///< needs a current filehandle
  bool saved = false;     ///< and a saved one
  bool modifies = false;  ///< never on the pseudo file system or on a read-only export
  /// May stand behind an operation that put a filehandle of an export which wants a safer transport
  /// (RFC 8881 section 2.6.3.1.1).
  bool any_security = false;
  bool error_body = false;  ///< writes results also for some errors
};

/// Reads its arguments from `in`, writes what follows the status to `out`. What a failing handler
/// has written is dropped by the engine unless its row says error_body.
using Handler = Async<Status> (*)(Compound& c, XdrReader& in, XdrWriter& out);

struct OpRow {
  Op number;
  std::string_view name;
  std::uint8_t first_minor, last_minor;
  Place place;
  Traits traits;
  /// Of an operation that must not be done without being able to say so: the most bytes that its
  /// results take. 0: the size is checked afterwards.
  std::uint32_t reply_bound;
  Handler handler;
};

/// Null: nobody knows this number (OP_ILLEGAL).
const OpRow* find_op(std::uint32_t number);
std::span<const OpRow> op_table();

}  // namespace outcrop::nfs::v4
