using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Mfa.Server.Callers;
using Mfa.Server.Delivery;
using Mfa.Server.Domain;
using Mfa.Server.Flows;
using Mfa.V1;

namespace Mfa.Server.Services;

/// <summary>The contract's rpcs: read the request's form, run the flow, map its answer.</summary>
internal sealed class MfaEndpoint(
    EnableFlow enable, VerifyFlow verify, GetTokenFlow getToken, DisableFlow disable, ConfirmDisableFlow confirmDisable, StatusFlow status,
    RecoveryCodesFlow recoveryCodes, PhoneParser phones, MessageTemplates templates, IEnumerable<ISender> senders, TimeProvider clock) : MfaService.MfaServiceBase
{
    public override async Task<EnableResponse> Enable(EnableRequest request, ServerCallContext context)
    {
        var caller = CallerOf(context);
        var form = new Form();
        var account = form.Account(request.Account, caller);
        var method = form.Method(request.Method, senders);
        var call = new EnableCall(caller, account, method, form.Email(request.Email, method, caller), form.Phone(request.Phone, method, phones),
            form.Label(request.Label), form.Locale(request.Locale, templates), form.Code(request.Code, required: false));
        form.ThrowIfBad();

        var answer = (await enable.RunAsync(call)).OrThrow(clock.GetUtcNow());
        return new EnableResponse
        {
            EnrollmentId = answer.EnrollmentId.ToString(),
            Method = request.Method,
            Account = call.Account.Account,
            Issuer = answer.Issuer,
            Secret = answer.Key?.Secret ?? "",
            OtpauthUri = answer.Key?.KeyUri ?? "",
            QrCodeSvg = answer.Key is { } key ? QrCode.Svg(key.KeyUri) : "",
            RecoveryCodes = { answer.RecoveryCodes.Select(code => code.Reveal()) },
            Destination = answer.Destination,
            ExpireTime = answer.ExpireTime.ToTimestamp(),
        };
    }

    public override async Task<VerifyResponse> Verify(VerifyRequest request, ServerCallContext context)
    {
        var caller = CallerOf(context);
        var form = new Form();
        var account = form.Account(request.Account, caller);
        var code = form.Code(request.Code, required: true);
        var enrollmentId = form.Uuid(request.EnrollmentId, "enrollment_id");
        var requestId = form.Uuid(request.RequestId, "request_id");
        form.ThrowIfBad();

        var call = new VerifyCall(caller, account, code!, enrollmentId, requestId);
        var answer = (await verify.RunAsync(call)).OrThrow(clock.GetUtcNow());
        return new VerifyResponse
        {
            Verdict = VerdictOf(answer.Kind),
            Factor = FactorOf(answer.Factor),
            AttemptsRemaining = answer.AttemptsRemaining,
            RetryTime = answer.RetryTime?.ToTimestamp(),
            RecoveryCodesRemaining = answer.RecoveryCodesRemaining,
        };
    }

    public override async Task<GetTokenResponse> GetToken(GetTokenRequest request, ServerCallContext context)
    {
        var caller = CallerOf(context);
        var form = new Form();
        var call = new GetTokenCall(caller, form.Account(request.Account, caller),
            form.Uuid(request.EnrollmentId, "enrollment_id"), form.Uuid(request.RequestId, "request_id"));
        form.ThrowIfBad();

        var answer = (await getToken.RunAsync(call)).OrThrow(clock.GetUtcNow());
        return new GetTokenResponse
        {
            Method = MethodOf(answer.Method),
            Destination = answer.Destination,
            ExpireTime = answer.ExpireTime.ToTimestamp(),
            ResendTime = answer.ResendTime.ToTimestamp(),
        };
    }

    public override async Task<DisableResponse> Disable(DisableRequest request, ServerCallContext context)
    {
        var caller = CallerOf(context);
        var form = new Form();
        var call = new DisableCall(caller, form.Account(request.Account, caller), form.Uuid(request.RequestId, "request_id"));
        form.ThrowIfBad();

        var answer = (await disable.RunAsync(call)).OrThrow(clock.GetUtcNow());
        return new DisableResponse { Destination = answer.Destination, ExpireTime = answer.ExpireTime.ToTimestamp() };
    }

    public override async Task<ConfirmDisableResponse> ConfirmDisable(ConfirmDisableRequest request, ServerCallContext context)
    {
        var caller = CallerOf(context);
        var form = new Form();
        var account = form.Account(request.Account, caller);
        var token = form.Token(request.Token);
        var requestId = form.Uuid(request.RequestId, "request_id");
        form.ThrowIfBad();

        var call = new ConfirmDisableCall(caller, account, token!, requestId);
        var answer = (await confirmDisable.RunAsync(call)).OrThrow(clock.GetUtcNow());
        return new ConfirmDisableResponse { DisableTime = answer.DisableTime.ToTimestamp() };
    }

    public override async Task<GetStatusResponse> GetStatus(GetStatusRequest request, ServerCallContext context)
    {
        var form = new Form();
        var account = form.Account(request.Account, CallerOf(context));
        form.ThrowIfBad();

        var answer = await status.RunAsync(account);
        return new GetStatusResponse
        {
            State = StateOf(answer.State),
            Method = MethodOf(answer.Method),
            EnableTime = answer.EnableTime?.ToTimestamp(),
            DisableTime = answer.DisableTime?.ToTimestamp(),
            Destination = answer.Destination,
            RecoveryCodesRemaining = answer.RecoveryCodesRemaining,
            RecoveryCodesStale = answer.RecoveryCodesStale,
            LockedUntil = answer.LockedUntil?.ToTimestamp(),
            Pending = answer.Pending is not { } pending ? null : new PendingEnrollment
            {
                EnrollmentId = pending.Id.ToString(),
                Method = MethodOf(pending.Method),
                ExpireTime = answer.PendingExpireTime?.ToTimestamp(),
            },
            Delivery = answer.Delivery is not { } delivery ? null : new V1.Delivery
            {
                State = DeliveryOf(delivery.State),
                UpdateTime = delivery.UpdateTime.ToTimestamp(),
                Attempts = delivery.Attempts,
            },
        };
    }

    public override async Task<RegenerateRecoveryCodesResponse> RegenerateRecoveryCodes(
        RegenerateRecoveryCodesRequest request, ServerCallContext context)
    {
        var caller = CallerOf(context);
        var form = new Form();
        var account = form.Account(request.Account, caller);
        var code = form.Code(request.Code, required: true);
        form.ThrowIfBad();

        var codes = (await recoveryCodes.RunAsync(caller, account, code!)).OrThrow(clock.GetUtcNow());
        return new RegenerateRecoveryCodesResponse { RecoveryCodes = { codes.Select(c => c.Reveal()) } };
    }

    /// <summary>The gate lets nobody through without one; a call that got here another way is refused all the same.</summary>
    private static Principal CallerOf(ServerCallContext context) =>
        context.GetHttpContext().Features.Get<Principal>() ?? throw Errors.Unauthenticated();

    private static Verdict VerdictOf(CheckKind kind) => kind switch
    {
        CheckKind.Accepted => Verdict.Accepted,
        CheckKind.Wrong or CheckKind.Used or CheckKind.Expired => Verdict.Rejected,
        CheckKind.Locked or CheckKind.Blocked => Verdict.Locked,
        CheckKind.Stale => throw Errors.Internal(), // unreachable: the flow compares again
    };

    private static V1.Factor FactorOf(ProvenBy factor) => factor switch
    {
        ProvenBy.Email => V1.Factor.Email,
        ProvenBy.Authenticator => V1.Factor.Authenticator,
        ProvenBy.Sms => V1.Factor.Sms,
        ProvenBy.RecoveryCode => V1.Factor.RecoveryCode,
        ProvenBy.Unspecified => V1.Factor.Unspecified,
    };

    private static V1.Method MethodOf(Domain.Method method) => method switch
    {
        Domain.Method.Email => V1.Method.Email,
        Domain.Method.Authenticator => V1.Method.Authenticator,
        Domain.Method.Sms => V1.Method.Sms,
        Domain.Method.Unspecified => V1.Method.Unspecified,
    };

    private static V1.DeliveryState DeliveryOf(Domain.DeliveryState state) => state switch
    {
        Domain.DeliveryState.Queued => V1.DeliveryState.Queued,
        Domain.DeliveryState.Sent => V1.DeliveryState.Sent,
        Domain.DeliveryState.Failed => V1.DeliveryState.Failed,
        Domain.DeliveryState.Unspecified => V1.DeliveryState.Unspecified,
    };

    private static State StateOf(AccountState state) => state switch
    {
        AccountState.Disabled => State.Disabled,
        AccountState.Pending => State.Pending,
        AccountState.Enabled => State.Enabled,
        AccountState.Blocked => State.Blocked,
        AccountState.Unspecified => State.Unspecified,
    };
}
