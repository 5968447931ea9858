// The handlers of the NFSv3 procedures; see op_table.h for what they share.
#pragma once
#include "api/nfs/v3/op_table.h"

namespace outcrop::nfs::v3 {

// nfs3.cpp
Async<Status> op_null(const Call& call, XdrReader& in, XdrWriter& out);
// op_attr.cpp
Async<Status> op_getattr(const Call& call, XdrReader& in, XdrWriter& out);
Async<Status> op_setattr(const Call& call, XdrReader& in, XdrWriter& out);
Async<Status> op_access(const Call& call, XdrReader& in, XdrWriter& out);
Async<Status> op_readlink(const Call& call, XdrReader& in, XdrWriter& out);
// op_data.cpp
Async<Status> op_read(const Call& call, XdrReader& in, XdrWriter& out);
Async<Status> op_write(const Call& call, XdrReader& in, XdrWriter& out);
Async<Status> op_commit(const Call& call, XdrReader& in, XdrWriter& out);
// op_create.cpp
Async<Status> op_create(const Call& call, XdrReader& in, XdrWriter& out);
Async<Status> op_mkdir(const Call& call, XdrReader& in, XdrWriter& out);
Async<Status> op_symlink(const Call& call, XdrReader& in, XdrWriter& out);
Async<Status> op_mknod(const Call& call, XdrReader& in, XdrWriter& out);
// op_name.cpp
Async<Status> op_lookup(const Call& call, XdrReader& in, XdrWriter& out);
Async<Status> op_remove(const Call& call, XdrReader& in, XdrWriter& out);
Async<Status> op_rmdir(const Call& call, XdrReader& in, XdrWriter& out);
Async<Status> op_rename(const Call& call, XdrReader& in, XdrWriter& out);
Async<Status> op_link(const Call& call, XdrReader& in, XdrWriter& out);
// op_dir.cpp
Async<Status> op_readdir(const Call& call, XdrReader& in, XdrWriter& out);
Async<Status> op_readdirplus(const Call& call, XdrReader& in, XdrWriter& out);
// op_fsinfo.cpp
Async<Status> op_fsstat(const Call& call, XdrReader& in, XdrWriter& out);
Async<Status> op_fsinfo(const Call& call, XdrReader& in, XdrWriter& out);
Async<Status> op_pathconf(const Call& call, XdrReader& in, XdrWriter& out);

}  // namespace outcrop::nfs::v3
