#include "api/nfs/v4/op_table.h"

#include <array>

#include "api/nfs/v4/ops.h"

namespace outcrop::nfs::v4 {
namespace {

constexpr Traits kNone{};
constexpr Traits kCurrent{.current = true};
constexpr Traits kChanges{.current = true, .modifies = true};
constexpr Traits kChangesBoth{.current = true, .saved = true, .modifies = true};
constexpr Traits kPut{.any_security = true};
constexpr Traits kWalk{.current = true, .any_security = true};
constexpr Traits kLocks{.current = true, .error_body = true};

// Results that a change must be able to give (OpRow::reply_bound).
constexpr std::uint32_t kVoid = 8, kState = 16, kChange = 20, kTwoChanges = 40, kSet = 16;
constexpr std::uint32_t kCreated = kChange + kSet, kOpened = 80, kWritten = 16, kCopied = 32;

constexpr Place kIn = Place::in_session;

constexpr OpRow kRows[] = {
    {Op::access, "ACCESS", 0, 2, kIn, kCurrent, 0, op_access},
    {Op::close, "CLOSE", 0, 2, kIn, kCurrent, kState, op_close},
    {Op::commit, "COMMIT", 0, 2, kIn, kCurrent, 0, op_commit},
    {Op::create, "CREATE", 0, 2, kIn, kChanges, kCreated, op_create},
    {Op::delegpurge, "DELEGPURGE", 0, 2, kIn, kNone, 0, op_delegpurge},
    {Op::delegreturn, "DELEGRETURN", 0, 2, kIn, kCurrent, 0, op_delegreturn},
    {Op::getattr, "GETATTR", 0, 2, kIn, kCurrent, 0, op_getattr},
    {Op::getfh, "GETFH", 0, 2, kIn, kCurrent, 0, op_getfh},
    {Op::link, "LINK", 0, 2, kIn, kChangesBoth, kChange, op_link},
    {Op::lock, "LOCK", 0, 2, kIn, kLocks, kState, op_lock},
    {Op::lockt, "LOCKT", 0, 2, kIn, kLocks, 0, op_lockt},
    {Op::locku, "LOCKU", 0, 2, kIn, kCurrent, kState, op_locku},
    {Op::lookup, "LOOKUP", 0, 2, kIn, kWalk, 0, op_lookup},
    {Op::lookupp, "LOOKUPP", 0, 2, kIn, kWalk, 0, op_lookupp},
    {Op::nverify, "NVERIFY", 0, 2, kIn, kCurrent, 0, op_nverify},
    {Op::open, "OPEN", 0, 2, kIn, kWalk, kOpened, op_open},
    {Op::openattr, "OPENATTR", 0, 2, kIn, kCurrent, 0, op_unsupported},
    {Op::open_confirm, "OPEN_CONFIRM", 0, 0, kIn, kCurrent, kState, op_open_confirm},
    {Op::open_downgrade, "OPEN_DOWNGRADE", 0, 2, kIn, kCurrent, kState, op_open_downgrade},
    {Op::putfh, "PUTFH", 0, 2, kIn, kPut, 0, op_putfh},
    {Op::putpubfh, "PUTPUBFH", 0, 2, kIn, kPut, 0, op_putrootfh},
    {Op::putrootfh, "PUTROOTFH", 0, 2, kIn, kPut, 0, op_putrootfh},
    {Op::read, "READ", 0, 2, kIn, kCurrent, 0, op_read},
    {Op::readdir, "READDIR", 0, 2, kIn, kCurrent, 0, op_readdir},
    {Op::readlink, "READLINK", 0, 2, kIn, kCurrent, 0, op_readlink},
    {Op::remove, "REMOVE", 0, 2, kIn, kChanges, kChange, op_remove},
    {Op::rename, "RENAME", 0, 2, kIn, kChangesBoth, kTwoChanges, op_rename},
    {Op::renew, "RENEW", 0, 0, kIn, kNone, 0, op_renew},
    {Op::restorefh, "RESTOREFH", 0, 2, kIn, kPut, 0, op_restorefh},
    {Op::savefh, "SAVEFH", 0, 2, kIn, kWalk, 0, op_savefh},
    {Op::secinfo, "SECINFO", 0, 2, kIn, kWalk, 0, op_secinfo},
    {Op::setattr, "SETATTR", 0, 2, kIn, kChanges, kSet, op_setattr},
    {Op::setclientid, "SETCLIENTID", 0, 0, kIn, {.error_body = true}, 0, op_setclientid},
    {Op::setclientid_confirm, "SETCLIENTID_CONFIRM", 0, 0, kIn, kNone, 0, op_setclientid_confirm},
    {Op::verify, "VERIFY", 0, 2, kIn, kCurrent, 0, op_verify},
    {Op::write, "WRITE", 0, 2, kIn, kChanges, kWritten, op_write},
    {Op::release_lockowner, "RELEASE_LOCKOWNER", 0, 0, kIn, kNone, 0, op_release_lockowner},
    {Op::backchannel_ctl, "BACKCHANNEL_CTL", 1, 2, kIn, kNone, 0, op_backchannel_ctl},
    {Op::bind_conn_to_session, "BIND_CONN_TO_SESSION", 1, 2, Place::alone, kNone, 0,
     op_bind_conn_to_session},
    {Op::exchange_id, "EXCHANGE_ID", 1, 2, Place::alone_too, kNone, 0, op_exchange_id},
    {Op::create_session, "CREATE_SESSION", 1, 2, Place::alone_too, kNone, 0, op_create_session},
    {Op::destroy_session, "DESTROY_SESSION", 1, 2, Place::alone_too, kNone, 0, op_destroy_session},
    {Op::free_stateid, "FREE_STATEID", 1, 2, kIn, kNone, kVoid, op_free_stateid},
    {Op::get_dir_delegation, "GET_DIR_DELEGATION", 1, 2, kIn, kNone, 0, op_unsupported},
    {Op::getdeviceinfo, "GETDEVICEINFO", 1, 2, kIn, kNone, 0, op_unsupported},
    {Op::getdevicelist, "GETDEVICELIST", 1, 2, kIn, kNone, 0, op_unsupported},
    {Op::layoutcommit, "LAYOUTCOMMIT", 1, 2, kIn, kNone, 0, op_unsupported},
    {Op::layoutget, "LAYOUTGET", 1, 2, kIn, kNone, 0, op_unsupported},
    {Op::layoutreturn, "LAYOUTRETURN", 1, 2, kIn, kNone, 0, op_unsupported},
    {Op::secinfo_no_name, "SECINFO_NO_NAME", 1, 2, kIn, kWalk, 0, op_secinfo_no_name},
    {Op::sequence, "SEQUENCE", 1, 2, Place::first, kNone, 0, op_sequence},
    {Op::set_ssv, "SET_SSV", 1, 2, kIn, kNone, 0, op_unsupported},
    {Op::test_stateid, "TEST_STATEID", 1, 2, kIn, kNone, 0, op_test_stateid},
    {Op::want_delegation, "WANT_DELEGATION", 1, 2, kIn, kNone, 0, op_unsupported},
    {Op::destroy_clientid, "DESTROY_CLIENTID", 1, 2, Place::alone_too, kNone, 0,
     op_destroy_clientid},
    {Op::reclaim_complete, "RECLAIM_COMPLETE", 1, 2, kIn, kNone, kVoid, op_reclaim_complete},
    {Op::allocate, "ALLOCATE", 2, 2, kIn, kChanges, kVoid, op_allocate},
    {Op::copy, "COPY", 2, 2, kIn, kChangesBoth, kCopied, op_copy},
    {Op::copy_notify, "COPY_NOTIFY", 2, 2, kIn, kNone, 0, op_unsupported},
    {Op::deallocate, "DEALLOCATE", 2, 2, kIn, kChanges, kVoid, op_deallocate},
    {Op::io_advise, "IO_ADVISE", 2, 2, kIn, kCurrent, 0, op_io_advise},
    {Op::layouterror, "LAYOUTERROR", 2, 2, kIn, kNone, 0, op_unsupported},
    {Op::layoutstats, "LAYOUTSTATS", 2, 2, kIn, kNone, 0, op_unsupported},
    {Op::offload_cancel, "OFFLOAD_CANCEL", 2, 2, kIn, kNone, 0, op_unsupported},
    {Op::offload_status, "OFFLOAD_STATUS", 2, 2, kIn, kNone, 0, op_unsupported},
    {Op::read_plus, "READ_PLUS", 2, 2, kIn, kNone, 0, op_unsupported},
    {Op::seek, "SEEK", 2, 2, kIn, kCurrent, 0, op_seek},
    {Op::write_same, "WRITE_SAME", 2, 2, kIn, kNone, 0, op_unsupported},
    {Op::clone, "CLONE", 2, 2, kIn, kChangesBoth, kVoid, op_clone},
    {Op::getxattr, "GETXATTR", 2, 2, kIn, kCurrent, 0, op_getxattr},
    {Op::setxattr, "SETXATTR", 2, 2, kIn, kChanges, kChange, op_setxattr},
    {Op::listxattrs, "LISTXATTRS", 2, 2, kIn, kCurrent, 0, op_listxattrs},
    {Op::removexattr, "REMOVEXATTR", 2, 2, kIn, kChanges, kChange, op_removexattr},
};

constexpr std::size_t kNumbers = 76;

constexpr std::array<const OpRow*, kNumbers> make_index() {
  std::array<const OpRow*, kNumbers> out{};
  for (const OpRow& row : kRows) {
    out[static_cast<std::size_t>(row.number)] = &row;
  }
  return out;
}

constexpr std::array<const OpRow*, kNumbers> kIndex = make_index();

}  // namespace

const OpRow* find_op(std::uint32_t number) { return number < kNumbers ? kIndex[number] : nullptr; }

std::span<const OpRow> op_table() { return kRows; }

/// Operations that RFC 8881 and 7862 leave to the server: pNFS, delegations of directories, SSV,
/// asynchronous copies and copies between servers.
Async<Status> op_unsupported(Compound&, XdrReader&, XdrWriter&) { co_return Status::notsupp; }

}  // namespace outcrop::nfs::v4
