// What the load generator asks an NFS server for, whatever the protocol version is.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "tools/bench/nfs/rpc_channel.h"

namespace outcrop::bench {

using NfsHandle = std::string;

/// On one channel, by lanes that have one call under way each. Errors: io_error with a line for the
/// user if the channel failed; not_found, already_exists, or conflict with a label ("READ 13") for
/// a status of the server.
class NfsClient {
 public:
  virtual ~NfsClient() = default;
  /// Before anything else: sessions.
  virtual Task<> start() = 0;
  /// The state that the server keeps for this client goes.
  virtual Task<> stop() = 0;
  virtual Task<NfsHandle> root(std::string_view path) = 0;

  virtual Task<> getattr(unsigned lane, const NfsHandle& file) = 0;
  virtual Task<NfsHandle> lookup(unsigned lane, const NfsHandle& in, std::string_view name) = 0;
  /// Bytes read; appended to `keep` if it is not null.
  virtual Task<std::uint64_t> read(unsigned lane,
                                   const NfsHandle& file,
                                   std::uint64_t offset,
                                   std::uint32_t count,
                                   std::string* keep) = 0;
  virtual Task<> write(
      unsigned lane, const NfsHandle& file, std::uint64_t offset, Buffer data, bool stable) = 0;
  virtual Task<> commit(unsigned lane, const NfsHandle& file) = 0;
  virtual Task<NfsHandle> create(unsigned lane, const NfsHandle& in, std::string_view name) = 0;
  virtual Task<NfsHandle> make_directory(unsigned lane,
                                         const NfsHandle& in,
                                         std::string_view name) = 0;
  virtual Task<> remove(unsigned lane,
                        const NfsHandle& in,
                        std::string_view name,
                        bool directory) = 0;
  /// The whole directory with attributes and handles; the number of entries.
  virtual Task<std::uint64_t> list(unsigned lane, const NfsHandle& directory) = 0;
};

/// NFSv3. `mount` is the handle that MOUNT gave.
std::unique_ptr<NfsClient> make_client3(RpcChannel& channel, NfsHandle mount);
/// The handle of an export by the MOUNT protocol; blocks.
Result<NfsHandle> mount3(const RpcTarget& target, std::string_view path);
/// NFSv4.1 with a session of `slots` for this channel alone; `number` tells clients of one process
/// apart.
std::unique_ptr<NfsClient> make_client41(RpcChannel& channel, unsigned slots, unsigned number);

/// The error for a status other than 0.
std::unexpected<Error> nfs_failure(std::string_view operation, std::uint32_t status);
std::unexpected<Error> malformed(std::string_view operation);

}  // namespace outcrop::bench
