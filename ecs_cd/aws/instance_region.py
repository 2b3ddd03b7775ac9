"""The region of the machine itself, for those who name none: what tasks of the AWS Toolkit fall back to.

Source: aws/aws-toolkit-azure-devops, `getRegion` in `src/lib/awsConnectionParameters.ts`: the input, the variable
`AWS.Region`, `AWS_REGION`, then the instance's metadata. The service connection has no region.
"""

from __future__ import annotations


def instance_region(profile: str = "") -> str:
    """Return the region of the AWS configuration file, else of the EC2 instance; empty where neither is known.

    On a machine that is no EC2 instance this takes a second or two; `AWS_EC2_METADATA_DISABLED=true` spares it.
    """
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - the SDK is loaded when it is needed
    from botocore.session import Session  # noqa: PLC0415 - likewise
    from botocore.utils import InstanceMetadataRegionFetcher  # noqa: PLC0415 - likewise

    try:
        configured = Session(profile=profile or None).get_config_variable("region")
        return str(configured or InstanceMetadataRegionFetcher().retrieve_region() or "")
    except BotoCoreError:  # no such profile, no usable file: said where the credentials are looked for
        return ""
