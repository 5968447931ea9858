#include "server/admin_sources.h"

#include <utility>

namespace outcrop::server {
namespace {

Task<std::string> list_exports(BlockingPool& pool, NfsServer& nfs) {
  co_return co_await pool.run([&nfs] { return Result<std::string>(nfs.list_exports()); });
}
Task<std::string> add_export(BlockingPool& pool, NfsServer& nfs, std::string json) {
  co_return co_await pool.run([&] { return nfs.add_export(json); });
}
Task<> remove_export(BlockingPool& pool, NfsServer& nfs, std::string path) {
  co_return co_await pool.run([&] { return nfs.remove_export(path); });
}
Task<std::string> rotate_key(BlockingPool& pool, NfsServer& nfs, bool force) {
  co_return co_await pool.run([&] { return nfs.rotate_key(force); });
}

Task<std::string> list_tokens(TokenRegistry& tokens) { co_return tokens.list(); }
Task<std::string> create_token(BlockingPool& pool, TokenRegistry& tokens, std::string json) {
  co_return co_await pool.run([&] { return tokens.create(json); });
}
Task<> revoke_token(BlockingPool& pool, TokenRegistry& tokens, std::string id) {
  co_return co_await pool.run([&] { return tokens.revoke(id); });
}

}  // namespace

admin::ExportSource export_source(BlockingPool& pool, std::function<NfsServer&()> nfs) {
  return {
      .list = [&pool, nfs] { return list_exports(pool, nfs()); },
      .add = [&pool, nfs](std::string json) { return add_export(pool, nfs(), std::move(json)); },
      .remove = [&pool,
                 nfs](std::string path) { return remove_export(pool, nfs(), std::move(path)); },
      .rotate_key = [&pool, nfs](bool force) { return rotate_key(pool, nfs(), force); }};
}

admin::TokenSource token_source(BlockingPool& pool, std::function<TokenRegistry&()> tokens) {
  return {.list = [tokens] { return list_tokens(tokens()); },
          .create = [&pool, tokens](
                        std::string json) { return create_token(pool, tokens(), std::move(json)); },
          .revoke = [&pool, tokens](
                        std::string id) { return revoke_token(pool, tokens(), std::move(id)); }};
}

}  // namespace outcrop::server
