#include "api/nfs/v3/op_table.h"

#include <array>

#include "api/nfs/v3/ops.h"

namespace outcrop::nfs::v3 {
namespace {

constexpr bool kWrites = true, kReads = false;
constexpr bool kReplays = true, kRepeats = false;

// WRITE and COMMIT may be done twice: the second time changes nothing. COMMIT is also for what was
// written before an export became read-only.
constexpr std::array kOps = std::to_array<Op>({
    {0, "NULL", op_null, kReads, kRepeats},
    {1, "GETATTR", op_getattr, kReads, kRepeats},
    {2, "SETATTR", op_setattr, kWrites, kReplays},
    {3, "LOOKUP", op_lookup, kReads, kRepeats},
    {4, "ACCESS", op_access, kReads, kRepeats},
    {5, "READLINK", op_readlink, kReads, kRepeats},
    {6, "READ", op_read, kReads, kRepeats},
    {7, "WRITE", op_write, kWrites, kRepeats},
    {8, "CREATE", op_create, kWrites, kReplays},
    {9, "MKDIR", op_mkdir, kWrites, kReplays},
    {10, "SYMLINK", op_symlink, kWrites, kReplays},
    {11, "MKNOD", op_mknod, kWrites, kRepeats},
    {12, "REMOVE", op_remove, kWrites, kReplays},
    {13, "RMDIR", op_rmdir, kWrites, kReplays},
    {14, "RENAME", op_rename, kWrites, kReplays},
    {15, "LINK", op_link, kWrites, kReplays},
    {16, "READDIR", op_readdir, kReads, kRepeats},
    {17, "READDIRPLUS", op_readdirplus, kReads, kRepeats},
    {18, "FSSTAT", op_fsstat, kReads, kRepeats},
    {19, "FSINFO", op_fsinfo, kReads, kRepeats},
    {20, "PATHCONF", op_pathconf, kReads, kRepeats},
    {21, "COMMIT", op_commit, kReads, kRepeats},
});
static_assert(kOps.size() == kProcedures);

}  // namespace

std::span<const Op> ops() { return kOps; }

const Op* find_op(std::uint32_t procedure) {
  return procedure < kOps.size() ? &kOps[procedure] : nullptr;
}

}  // namespace outcrop::nfs::v3
