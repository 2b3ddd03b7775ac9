"""The one table that maps AWS's errors to ours: by error code of an answer, by HTTP status, by exception class.

A test walks every exception class of boto3 and botocore, and every error that the service models declare for the
operations used, and fails when one is not in here. Names are text, so that no SDK is imported for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ecs_cd.errors import (
    AccessDenied,
    BadCredentials,
    DeliveryFailed,
    EcsCdError,
    ImageMissing,
    ParameterRefused,
    RolloutFailed,
    ServiceUnavailable,
    SettingsError,
    Throttled,
    UnexpectedAnswer,
    Unreachable,
)
from ecs_cd.messages import Message, SettingRef


@dataclass(frozen=True)
class MappedError:
    """An error of ours: its class, the cause as half a sentence, the hint, and whether AWS's own text may be quoted."""

    error: type[EcsCdError]
    cause: str
    hint: str
    quote: bool = True


_SIGN_IN = (
    "Check the service connection, AWS_PROFILE, the AWS_* variables or the instance's role, and that the machine's "
    "clock is right; `aws sts get-caller-identity` shows what AWS thinks."
)
_NETWORK = "Check the network, the proxy (HTTPS_PROXY, NO_PROXY), AWS_CA_BUNDLE and any AWS_ENDPOINT_URL."
_CONFIGURATION = "Check ~/.aws/config, AWS_PROFILE and the other AWS_* variables."
_LATER = "Try again later; health.aws.amazon.com shows known outages."
_ENDPOINT = "Is there a proxy in between, or does AWS_ENDPOINT_URL point to something else than AWS?"
_NAMES = "Check the names, the account and the region in the settings."
_KEY = (
    "Check that the parameter's KMS key exists, is enabled and not pending deletion, and that its policy lets this "
    "identity use it (kms:Decrypt, kms:Encrypt)."
)

_EXPIRED = MappedError(BadCredentials, "the AWS credentials have expired", "Sign in again. " + _SIGN_IN, quote=False)
_UNKNOWN = MappedError(BadCredentials, "AWS does not accept the credentials", _SIGN_IN, quote=False)
_ABSENT = MappedError(BadCredentials, "there are no usable AWS credentials", _SIGN_IN)
_WITHHELD = MappedError(BadCredentials, "the AWS credentials could not be fetched", _SIGN_IN, quote=False)
_DENIED = MappedError(AccessDenied, "AWS does not allow it", "")
_THROTTLED = MappedError(
    Throttled,
    "AWS asks for fewer requests",
    "Try again later. For many deliveries at once, Parameter Store can be set to higher throughput.",
)
_DOWN = MappedError(ServiceUnavailable, "AWS has a failure of its own", _LATER)
_REFUSED = MappedError(ParameterRefused, "Parameter Store refuses it", "Check the parameter and its attributes.")
_NO_PARAMETER = MappedError(ParameterRefused, "there is no such parameter, or no such version of it", _NAMES)
_BAD_KEY = MappedError(ParameterRefused, "the parameter's KMS key cannot be used", _KEY)
_BAD_ANSWER = MappedError(UnexpectedAnswer, "the answer is not one of AWS", _ENDPOINT)
_BAD_REQUEST = MappedError(DeliveryFailed, "AWS does not accept the request", _NAMES)
_SETTINGS = MappedError(SettingsError, "the AWS settings of this machine are wrong", _CONFIGURATION)
_NO_CONNECTION = MappedError(Unreachable, "no answer from AWS", _NETWORK)
_NOT_USED = MappedError(
    DeliveryFailed, "botocore refuses what was asked of it", "This is a mistake in ecs-cd: report it."
)

NOT_AWS = _BAD_ANSWER
UNKNOWN_CODE = MappedError(DeliveryFailed, "AWS answered with an error that ecs-cd does not know", _NAMES)
UNREADABLE = MappedError(
    SettingsError, "a file or a socket that the AWS SDK needs cannot be opened", "Check ~/.aws and AWS_CA_BUNDLE."
)
MALFORMED = MappedError(UnexpectedAnswer, "the answer is not as AWS documents it", _ENDPOINT)

BY_STATUS = {401: _UNKNOWN, 408: _NO_CONNECTION, 429: _THROTTLED, 500: _DOWN}
"""For answers whose code says nothing; 500 stands for all from 500."""

_CODES: tuple[tuple[MappedError, str], ...] = (
    (_EXPIRED, "ExpiredToken ExpiredTokenException RequestExpired TokenRefreshRequired"),
    (
        _UNKNOWN,
        """
        UnrecognizedClientException InvalidClientTokenId InvalidSignatureException SignatureDoesNotMatch
        IncompleteSignature IncompleteSignatureException MissingAuthenticationToken
        MissingAuthenticationTokenException AuthFailure InvalidAccessKeyId InvalidToken InvalidIdentityToken
        InvalidIdentityTokenException IDPRejectedClaim IDPRejectedClaimException
        """,
    ),
    (_DENIED, "AccessDenied AccessDeniedException UnauthorizedOperation UnauthorizedException NotAuthorized"),
    (_DENIED, "RegionDisabledException OptInRequired KMSAccessDeniedException"),
    (
        _THROTTLED,
        """
        Throttling ThrottlingException ThrottledException RequestThrottled RequestThrottledException
        TooManyRequestsException RequestLimitExceeded BandwidthLimitExceeded LimitExceededException
        PriorRequestNotComplete SlowDown EC2ThrottledException TooManyUpdates KMSThrottlingException
        """,
    ),
    (
        _DOWN,
        """
        InternalServerError InternalServerException InternalFailure InternalError InternalException ServerException
        ServiceUnavailable ServiceUnavailableException ServiceException IDPCommunicationError
        IDPCommunicationErrorException
        """,
    ),
    (_NO_CONNECTION, "RequestTimeout RequestTimeoutException"),
    (
        MappedError(
            ParameterRefused,
            "the value does not match the parameter's allowed pattern",
            "Is this the right parameter? Otherwise let its pattern (Terraform: allowed_pattern) admit such tags.",
        ),
        "ParameterPatternMismatchException",
    ),
    (
        MappedError(
            ParameterRefused,
            "its oldest version carries a label, so that none can be added",
            "Move the label to a newer version.",
        ),
        "ParameterMaxVersionLimitExceeded",
    ),
    (
        _REFUSED,
        """
        ParameterLimitExceeded ParameterAlreadyExists HierarchyLevelLimitExceededException
        HierarchyTypeMismatchException InvalidAllowedPatternException UnsupportedParameterType
        PoliciesLimitExceededException InvalidPolicyTypeException InvalidPolicyAttributeException
        IncompatiblePolicyException ParameterVersionLabelLimitExceeded UnsupportedFeatureRequiredException
        """,
    ),
    (MappedError(ParameterRefused, "AWS does not accept the request", _NAMES), "ValidationException"),
    (_NO_PARAMETER, "ParameterNotFound ParameterVersionNotFound"),
    (
        _BAD_KEY,
        """
        InvalidKeyId DisabledException KMSInvalidStateException KMSNotFoundException InvalidKeyUsageException
        KeyUnavailableException
        """,
    ),
    (
        MappedError(UnexpectedAnswer, "AWS refuses its own paging or filtering", _ENDPOINT),
        "InvalidNextToken InvalidFilterKey InvalidFilterOption InvalidFilterValue",
    ),
    (
        MappedError(ImageMissing, "there is no such repository", _NAMES + " The repository is Terraform's to create."),
        "RepositoryNotFoundException",
    ),
    (MappedError(ImageMissing, "there is no such image", _NAMES), "ImageNotFoundException"),
    (MappedError(RolloutFailed, "there is no such cluster", _NAMES), "ClusterNotFoundException"),
    (MappedError(DeliveryFailed, "there is no such resource", _NAMES), "ResourceNotFoundException"),
    (
        MappedError(RolloutFailed, "there is no such service", _NAMES),
        "ServiceNotFoundException ServiceNotActiveException",
    ),
    (
        _BAD_REQUEST,
        """
        ClientException InvalidParameterException InvalidParameterValue ValidationError InvalidRequest InvalidAction
        MalformedPolicyDocument PackedPolicyTooLarge SerializationException MissingParameter
        """,
    ),
    (MappedError(UnexpectedAnswer, "ECS does not have this in the region", _ENDPOINT), "UnsupportedFeatureException"),
    (_BAD_ANSWER, "UnknownOperationException UnknownError Unknown"),
)

_CLASSES: tuple[tuple[MappedError, str], ...] = (
    (_NOT_USED, "Boto3Error BotoCoreError UndefinedModelAttributeError"),
    (
        MappedError(
            SettingsError,
            "it is not known in which AWS region",
            Message("Give ", SettingRef("region"), ", set `region` in ecs-cd.yml, or set AWS_REGION."),
            quote=False,
        ),
        "NoRegionError",
    ),
    (
        _NO_CONNECTION,
        """
        ConnectionError HTTPClientError EndpointConnectionError ConnectionClosedError ConnectTimeoutError
        ReadTimeoutError ResponseStreamingError IncompleteReadError ProxyConnectionError SSLError
        """,
    ),
    (_ABSENT, "NoCredentialsError PartialCredentialsError NoAuthTokenError CapacityNotAvailableError"),
    (
        MappedError(BadCredentials, "the sign-in has expired or is missing", "Sign in again: `aws sso login`."),
        "SSOError SSOTokenLoadError UnauthorizedSSOTokenError",
    ),
    (
        MappedError(
            BadCredentials, "the sign-in has expired or is missing", "Sign in again: `aws login`.", quote=False
        ),
        "LoginError LoginRefreshRequired LoginInsufficientPermissions LoginTokenLoadError LoginAuthorizationCodeError",
    ),
    (_WITHHELD, "CredentialRetrievalError TokenRetrievalError MetadataRetrievalError RefreshWithMFAUnsupportedError"),
    (
        _SETTINGS,
        """
        ProfileNotFound ConfigParseError ConfigNotFound InvalidConfigError InfiniteLoopConfigError
        InvalidIMDSEndpointError InvalidIMDSEndpointModeError UnknownCredentialError UnknownTokenProviderError
        UnknownRegionError InvalidRegionError ServiceNotInRegionError BaseEndpointResolverError
        EndpointVariantError UnknownEndpointError UnknownFIPSEndpointError InvalidRetryConfigurationError
        InvalidMaxRetryAttemptsError InvalidRetryModeError InvalidSTSRegionalEndpointsConfigError
        InvalidS3UsEast1RegionalEndpointConfigError InvalidEndpointDiscoveryConfigurationError
        InvalidProxiesConfigError InvalidDefaultsMode InvalidEndpointConfigurationError EndpointProviderError
        EndpointResolutionError UnknownEndpointResolutionBuiltInName InvalidChecksumConfigError
        InvalidDNSNameError InvalidHostLabelError UnknownSignatureVersionError UnsupportedSignatureVersionError
        MissingDependencyException MD5UnavailableError DataNotFoundError UnknownServiceError
        ApiVersionNotFoundError UnsupportedServiceProtocolsError
        """,
    ),
    (
        MappedError(SettingsError, "a name in the settings is not of the form AWS asks for", _NAMES),
        """
        ParamValidationError ValidationError UnknownKeyError RangeError UnknownParameterError MissingParametersError
        AliasConflictParameterError
        """,
    ),
    (MALFORMED, "ResponseParserError ChecksumError FlexibleChecksumError AwsChunkedWrapperError PaginationError"),
    (
        _NOT_USED,
        """
        UnknownServiceStyle OperationNotPageableError UnseekableStreamError WaiterError WaiterConfigError
        InvalidExpressionError UnknownClientMethodError EventStreamError InvalidS3AddressingStyleError
        UnsupportedS3ArnError UnsupportedS3ControlArnError UnsupportedOutpostResourceError
        UnsupportedS3ConfigurationError UnsupportedS3AccesspointConfigurationError
        UnsupportedS3ControlConfigurationError StubResponseError StubAssertionError UnStubbedResponseError
        MissingServiceIdError
        """,
    ),
)


def _by_name(rows: tuple[tuple[MappedError, str], ...]) -> Iterator[tuple[str, MappedError]]:
    for mapped, names in rows:
        for name in names.split():
            yield name, mapped


BY_CODE = dict(_by_name(_CODES))
"""The code in an answer of AWS, such as `TooManyUpdates`."""

BY_CLASS = dict(_by_name(_CLASSES))
"""The name of an exception class of the SDK; a class without an entry means what its nearest ancestor means."""
