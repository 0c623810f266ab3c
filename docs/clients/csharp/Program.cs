// A second factor from C#. Usage:
//
//   example enrol ACCOUNT [EMAIL]          an authenticator app, or codes by e-mail
//   example verify ACCOUNT CODE [ENROLLMENT]
//   example send ACCOUNT                   a fresh code by e-mail
//
// Server and key: MFA_ENDPOINT, MFA_API_KEY, and MFA_CACERT for an authority of your own.
using Grpc.Core;
using Mfa.V1;
using Shop;

using var factor = new SecondFactor(
    Environment.GetEnvironmentVariable("MFA_ENDPOINT") ?? "http://127.0.0.1:7443",
    Environment.GetEnvironmentVariable("MFA_API_KEY") ?? throw new InvalidOperationException("Set MFA_API_KEY."),
    Environment.GetEnvironmentVariable("MFA_CACERT"));
try
{
    switch (args)
    {
        case ["enrol", var account, .. var email]:
            var pending = await factor.EnrolAsync(account, email.FirstOrDefault(""));
            Console.WriteLine($"enrollment {pending.EnrollmentId}");
            if (pending.Secret.Length > 0) Console.WriteLine($"secret {pending.Secret}"); // or show pending.QrCodeSvg
            Console.WriteLine($"recovery codes {string.Join(' ', pending.RecoveryCodes)}");
            return 0;
        case ["send", var account]:
            Console.WriteLine($"sent to {(await factor.SendAsync(account)).Destination}");
            return 0;
        case ["verify", var account, var code, .. var enrollment]:
            var answer = await factor.VerifyAsync(account, code, enrollment.FirstOrDefault(""));
            Console.WriteLine(answer.Verdict switch
            {
                Verdict.Accepted => "accepted",
                // No time when only a new enrolment helps.
                Verdict.Locked => $"locked until {answer.RetryTime?.ToDateTime().ToString("o") ?? "enrolled again"}",
                _ => $"rejected, attempts remaining: {answer.AttemptsRemaining}", // also a verdict that this program does not know
            });
            return answer.Verdict == Verdict.Accepted ? 0 : 1;
        default:
            Console.Error.WriteLine("example enrol|verify|send ACCOUNT …");
            return 2;
    }
}
catch (RpcException failure)
{
    Console.Error.WriteLine(SecondFactor.Explain(failure));
    return 1;
}
