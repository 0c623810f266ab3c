using Grpc.Core;
using Grpc.Core.Interceptors;
using Mfa.Server.Callers;
using Mfa.Server.Observability;
using Mfa.Server.Store;

namespace Mfa.Server.Services;

/// <summary>Turns what broke into a status that tells the caller what to do and nothing else; the log gets the detail.</summary>
internal sealed class BrokenCalls(RefusedCallers refused, Meters meters, ILogger<BrokenCalls> log) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(request, context);
        }
        catch (RpcException refusal)
        {
            await refused.RecordAsync(context.GetHttpContext(), refusal); // a person may have named another's account
            throw; // already made for the caller
        }
        catch (LostRaceException)
        {
            throw Errors.Conflict();
        }
        catch (StoreUnavailableException why)
        {
            meters.StoreUnavailable();
            log.StoreUnavailable(why, context.Method);
            throw Errors.StoreUnavailable();
        }
        catch (Exception why)
        {
            log.CallFailed(why, context.Method);
            throw Errors.Internal();
        }
    }
}
