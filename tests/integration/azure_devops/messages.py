"""Texts of Azure DevOps that people have published, shortened, and what each is about.

`source` is a URL without "https://", or `owner/repository#issue` on GitHub.
"""

from __future__ import annotations

from dataclasses import dataclass

from ecs_cd.errors import AccessDenied, BadCredentials, EcsCdError, PipelineNotFound, QueueRefused

BRANCH = "refs/heads/develop"
"""The branch that the run of every text was asked for."""


@dataclass(frozen=True)
class Problem:
    """A text that names a problem of a run, whether it refuses the run or ends it; `kind` is its kind, "" none known.

    `place` is a part of the advice: where it is solved.
    """

    source: str
    kind: str
    text: str
    place: str = ""


@dataclass(frozen=True)
class Answer:
    """An answer to a request: its status, type key, message, our error, and what message and hint contain."""

    source: str
    status: int
    type_key: str
    text: str
    error: type[EcsCdError]
    says: str
    hints: str


PROBLEMS = (
    # Service connections
    Problem("Azure/apiops#665", "service-connection", "The pipeline is not valid. Job prod: Step input "
           "azureSubscription references service connection apiops-dev which could not be found. The service "
           "connection does not exist, has been disabled or has not been authorized for use. For authorization "
           "details, refer to https://aka.ms/yamlauthz.", "Project settings > Service connections > 'apiops-dev'"),
    Problem("MicrosoftDocs/azure-devops-docs#6829", "service-connection", "Job Build: Step AzureCLI input "
           "connectedServiceNameARM references service connection sc which could not be found. The service "
           "connection does not exist or has not been authorized for use. For authorization details, refer to "
           "https://aka.ms/yamlauthz.", "Project settings > Service connections > 'sc'"),
    Problem("microsoft/azure-pipelines-yaml#31", "service-connection", "Job D: Step AzureRmWebAppDeployment "
           "input ConnectedServiceName references service connection $(ServicePrincipalRegion) which could not "
           "be found. The service connection does not exist or has not been authorized for use. For "
           "authorization details, refer to https://aka.ms/yamlauthz.", "`${{ }}`"),
    Problem("microsoft/coe-starter-kit#177", "service-connection", "The pipeline is not valid. Job Build: Step "
           "PowerPlatformSetConnectionVariables2 input PowerPlatformSPN references service connection which "
           "could not be found. The service connection does not exist or has not been authorized for use. For "
           "authorization details, refer to https://aka.ms/yamlauthz.", "Project settings > Service connections"),
    Problem("MicrosoftDocs/azure-devops-docs#5888", "service-connection", "Job Job: Step Docker2 input "
           "containerRegistry references service connection acr which could not be found. The service connection "
           "does not exist or has not been authorized for use. For authorization details, refer to "
           "https://aka.ms/yamlauthz.", "Project settings > Service connections > 'acr'"),
    Problem("houseabsolute/ci-perl-helpers#18", "service-connection", "Repository ci-perl-helpers references "
           "endpoint houseabsolute which does not exist or is not authorized for use",
           "Project settings > Service connections"),
    Problem("asottile-archive/azure-pipeline-templates#9", "service-connection", "The pipeline is not valid. "
           "Repository asottile references endpoint asottile which does not exist or is not authorized for use.",
           "Security add the pipeline under Pipeline permissions"),
    # Agent pools
    Problem("MicrosoftDocs/azure-devops-docs#2224", "pool", "Could not find a pool with name Default. The pool "
           "does not exist or has not been authorized for use. For authorization details, refer to "
           "https://aka.ms/yamlauthz.", "Project settings > Agent pools > 'Default' > Security"),
    Problem("Azure/azure-dev#5062", "pool", "Could not find a pool with name $(LINUXPOOL). The pool does not "
           "exist or has not been authorized for use. For authorization details, refer to "
           "https://aka.ms/yamlauthz.", "`${{ }}`"),
    Problem("microsoft/vcpkg#35757", "pool", "Could not find a pool with name PrOsx-2023-12-08. The pool does "
           "not exist or has not been authorized for use. For authorization details, refer to "
           "https://aka.ms/yamlauthz.", "Project settings > Agent pools > 'PrOsx-2023-12-08' > Security"),
    Problem("SignalR/SignalR#4640", "pool", 'There was a resource authorization issue: "The pipeline is not '
           "valid. Could not find a pool with name NetCore-Public. The pool does not exist or has not been "
           'authorized for use. For authorization details, refer to https://aka.ms/yamlauthz."',
           "Project settings > Agent pools > 'NetCore-Public' > Security"),
    Problem("microsoft/onnxruntime#18310", "pool", "Could not find a pool with ID 5206. The pool does not exist "
           "or has not been authorized for use. For authorization details, refer to https://aka.ms/yamlauthz.",
           "Project settings > Agent pools > '5206' > Security"),
    Problem("dotnet/source-build#4535", "pool", "Pipeline does not have permissions to use the referenced "
           "pool(s) NetCore1ESPool-Svc-Internal. For authorization details, refer to https://aka.ms/yamlauthz.",
           "Project settings > Agent pools > "),
    # Environments, variable groups, secure files
    Problem("Azure/enterprise-azure-policy-as-code#126", "environment", "Job DeployPlan: Environment PAC-DEV "
           "could not be found. The environment does not exist or has not been authorized for use.",
           "Pipelines > Environments"),
    Problem("Azure/CanadaPubSecALZ#173", "environment", "The pipeline is not valid. Job DeployLoggingJob: "
           "Environment could not be found. The environment does not exist or has not been authorized for use.",
           "Pipelines > Environments"),
    Problem("microsoft/azure-devops-yaml-schema#21", "environment", "Job Deploy: Resource YYYY does not exist in "
           "environment XXXX.", "Pipelines > Environments"),
    Problem("MicrosoftDocs/azure-devops-docs#2867", "variable-group", "Variable group test could not be found. "
           "The variable group does not exist or has not been authorized for use. For authorization details, "
           "refer to https://aka.ms/yamlauthz.", "Pipelines > Library > 'test' > Pipeline permissions"),
    Problem("Azure/sap-automation#89", "variable-group", "An error occurred while loading the YAML build "
           "pipeline. Variable group  was not found or is not authorized for use. For authorization details, "
           "refer to https://aka.ms/yamlauthz.", "Pipelines > Library"),
    Problem("microsoft/azure-pipelines-tasks#10603", "secure-file", "The pipeline is not valid. Job TestJob: "
           "Step DownloadSecureFile1 input secureFile references secure file $(ProvisioningProfile) which could "
           "not be found. The secure file does not exist or has not been authorized for use. For authorization "
           "details, refer to https://aka.ms/yamlauthz.,Job TestJob: Step DownloadSecureFile2 input secureFile "
           "references secure file $(AppleCertificate) which could not be found.", "`${{ }}`"),
    Problem("microsoft/azure-pipelines-tasks#13783", "secure-file", "There was a resource authorization issue: "
           '"The pipeline is not valid. Job Job: Step InstallAppleCertificate input certSecureFile references '
           "secure file app.p12 which could not be found. The secure file does not exist or has not been "
           'authorized for use."', "Pipelines > Library > Secure files > 'app.p12' > Pipeline permissions"),
    # Repositories
    Problem("huserben/TfsExtensions#253", "repository", "An error occurred while loading the YAML build "
           "pipeline. The repository Lib in project 3f9a could not be retrieved. Verify the name and credentials "
           "being used.", "Protect access to repositories"),
    Problem("ewingjm/development-hub#73", "repository", "Could not queue the build because there were validation "
           "errors or warnings.\nAn error occurred while loading the YAML build pipeline. The repository "
           "FieldServices in project 98e11077-9170 could not be retrieved. Verify the name and credentials being "
           "used.", "Project settings > Repositories"),
    Problem("microsoft/azure-pipelines-agent#995, in German", "repository", "TF401019: Das Git-Repository mit "
           "dem Namen oder Bezeichner r ist nicht vorhanden, oder Sie haben keine Berechtigung.",
           "Project settings > Pipelines > Settings"),
    Problem("MicrosoftDocs/azure-devops-docs#2177", "repository", "Unable to determine the access token for the "
           "repository.", "Protect access to repositories"),
    Problem("Azure/mlops-v2#68", "github-credentials", "/mlops/deploy.yml: Could not get the latest source "
           "version for repository Azure/mlops-templates hosted on https://github.com/ using ref "
           'refs/heads/main. GitHub reported the error, "Bad credentials"', "Project settings > Service "
           "connections"),
    # Files and refs
    Problem("SI-Gen/jportal2#18", "template-file", "/azure-pipelines.yml: Could not find "
           "/templates/analysis-steps.yml in repository self hosted on https://api.github.com using commit "
           'eac53ee91ac7. GitHub reported the error, "Not Found"', "`@self`"),
    Problem("microsoft/azure-pipelines-yaml#369", "template-file", "/azure-pipelines.yml: File /templates/x.yml "
           "not found in repository https://dev.azure.com/o/p/_git/r branch refs/heads/develop version 9f3c.",
           "`template:`"),
    Problem("microsoft/vscode-java-pack#1711", "template-file", "/release.yml: File "
           "/v1/1ES.Official.PipelineTemplate.yml not found in repository "
           "https://dev.azure.com/o/1ESPipelineTemplates/_git/t branch refs/tags/release version 2f1d.",
           "`template:`"),
    Problem("microsoft/azure-pipelines-yaml#409", "template-file", "/azure-pipelines.yml: Could not find "
           "/step--git-install.yml in repository self hosted on http://github.com/ using commit f7e4397f8f11. "
           'GitHub reported the error, "Not Found"', "`template:`"),
    Problem("microsoft/azure-pipelines-yaml#194", "file", "An error occurred while fetching the YAML file "
           "'pipeline.yaml' in the repository's default branch and latest build branches pipeline-branch: . "
           "Error on last attempt: File pipeline.yaml not found in repository x/my-repo at version/branch "
           "pipeline-branch.", "the environment's `branch`"),
    Problem("microsoft/coe-starter-kit#7068", "file", "/deploy-dev.yml: File /deploy-dev.yml not found in "
           "repository https://dev.azure.com/o/p/_git/r branch refs/heads/develop version 0c11.", "⋮ > Settings"),
    Problem("microsoft/coe-starter-kit#7068, a branch without a commit", "branch", "/deploy-dev.yml: File "
           "/deploy-dev.yml not found in repository https://dev.azure.com/o/p/_git/r branch refs/heads/develop "
           "version 0000000000000000000000000000000000000000.", "the environment's `branch`"),
    Problem("microsoft/coe-starter-kit#3314", "branch", "Unable to resolve the reference 'refs/heads/develop' to "
           "a specific version. Verify the reference exists in the source repository.",
           "the environment's `branch`"),
    Problem("MicrosoftDocs/azure-devops-docs#7239", "branch", "An error occurred while loading the YAML build "
           "pipeline. Could not get the latest source version for repository app hosted on Azure Repos using ref "
           "refs/heads/develop.", "the environment's `branch`"),
    Problem("huserben/TfsExtensions#128", "template-ref", "Could not get the latest source version for "
           "repository Lib using ref refs/heads/main.", "`ref:`"),
    Problem("microsoft/coe-starter-kit#5004", "template-ref", "/deploy-prod.yml: Could not get the latest source "
           "version for repository coe-alm hosted on Azure Repos using ref refs/heads/main.", "`ref:`"),
    Problem("Azure/azure-devops-cli-extension#988", "template-ref", "The pipeline is not valid. Could not get "
           "the latest source version for repository r hosted on Azure Repos using ref refs/heads/refs/tags/1.0.0",
           "`ref:`"),
    Problem("microsoft/AzureDevOpsDemoGenerator#620", "template-ref", "Encountered error(s) while parsing "
           "pipeline YAML:\nCould not get the latest source version for repository o/r hosted on "
           'https://github.com/o/r using ref refs/heads/master. GitHub reported the error, "No commit found for '
           'SHA: refs/heads/master"', "`ref:`"),
    Problem("Azure-Samples/modern-data-warehouse-dataops#845", "template-ref", "The pipeline is not valid. Could "
           "not get the latest source version for repository o/r hosted on https://github.com/o/f using ref "
           'refs/heads/adf_publish. GitHub reported the error, "Not Found"', "`ref:`"),
    Problem("microsoft/azure-pipelines-yaml#606", "template-ref", "Could not get the latest source version for "
           "repository t hosted on Azure Repos using ref refs/tags/v2.", "`ref:`"),
    # Template parameters and variables
    Problem("microsoft/powercat-automation-kit#320", "parameters", "Unexpected parameter 'ArtifactUrl'\n"
           "Unexpected parameter 'PipelinesServiceConnectionName'", "`template_parameters`"),
    Problem("ChristopherHX/runner.server#237", "parameters", "A value for the 'required' parameter must be "
           "provided", "`template_parameters`"),
    Problem("ChristopherHX/runner.server#589", "parameters", "/p.yml (Line: 5, Col: 9): The 'count' parameter is "
           "not a valid Number.", "`template_parameters`"),
    Problem("microsoft/azure-pipelines-yaml#458", "parameters", "Pipeline parameters not enabled", "`parameters:`"),
    Problem("stackoverflow.com/questions/77989806", "parameters", "Unable to convert from Array to String. "
           "Value: Array", "`template_parameters`"),
    Problem("learn.microsoft.com/azure/devops/pipelines/security/inputs", "variables",
           "You can't set the following variables (tag). If you want to be able to set these variables, then "
           "edit the pipeline and select Settable at queue time on the variables tab of the pipeline editor.",
           "Let users override this value"),
    # YAML
    Problem("MicrosoftDocs/mslearn-tailspin-spacegame-web#5661", "yaml", "Encountered error(s) while parsing "
           "pipeline YAML:\n/azure-pipelines.yml (Line: 2, Col: 1): Unexpected value 'ms.openlocfilehash'",
           "Validate"),
    Problem("MicrosoftDocs/azure-docs#74336", "yaml", "/azure-pipelines.yml: (Line: 11, Col: 9, Idx: 291) - "
           "(Line: 11, Col: 9, Idx: 291): While parsing a block mapping, did not find expected key.", "Validate"),
    Problem("microsoft/azure-pipelines-yaml#201", "yaml", "/azure-pipelines.yml (Line: 8, Col: 1): A sequence "
           "was not expected", "Validate"),
    Problem("YannickRe/azuredevops-buildagents#80", "yaml", "/generation.yml@azuredevops-buildagents (Line: 37, "
           "Col: 1): Unexpected value 'stages'", "Validate"),
    Problem("gatsbyjs/gatsby#11421", "yaml", "/azure-pipelines.yml (Line: 26, Col: 21): Unrecognized value: "
           "'parameters'. Located at position 39 within expression: format('TestRun {0} $(node_version)', "
           "parameters.name). For more help, refer to https://go.microsoft.com/fwlink/?linkid=842996", "Validate"),
    Problem("MicrosoftDocs/azure-devops-docs#10431", "yaml", "/azure-pipelines.yml: (Line: 4, Col: 9, Idx: 33) - "
           "(Line: 4, Col: 9, Idx: 33): While parsing a block collection, did not find expected '-' indicator.",
           "Validate"),
    Problem("GitTools/GitVersion#1773", "yaml", "An error occurred while loading the YAML build pipeline. wrong "
           "number of segments", "Validate"),
    Problem("sonic-net/sonic-buildimage#28852", "yaml", "Stage SecurityScan must contain at least one job with "
           "no dependencies.", "Validate"),
    Problem("microsoft/vscode-java-pack#1711, its first line", "yaml", "/release.yml (Line: 20, Col: 3): The "
           "'stages' parameter is not a valid StageList.", "Validate"),
    # Tasks and resources
    Problem("solidify/jira-azuredevops-migrator#428", "task", "A task is missing. The pipeline references a task "
           "called 'sonatype.nexus.Evaluate'. This usually indicates the task isn't installed.",
           "Organization settings > Extensions"),
    Problem("microsoft/AzureDevOpsDemoGenerator#690", "task", "Error while creating build definition: The "
           "pipeline is not valid. A task is missing. The pipeline references a task called "
           "'4fa3aac0-0020-4832-9089-9979c9dd3e69'. This usually indicates the task isn't installed. (Task "
           "version 0.*, job 'Phase_1', step 'Bower_3'.)", "'4fa3aac0-0020-4832-9089-9979c9dd3e69'"),
    Problem("microsoft/MLOpsPython#362", "pipeline-resource", "/.pipelines/diabetes_regression-cd.yml (Line: 19, "
           "Col: 15): Pipeline Resource model-train-ci  Input Must be Valid.", "`resources: pipelines`"),
    Problem("MicrosoftDocs/azure-devops-docs#8780", "pipeline-resource", "The pipeline is not valid. Pipeline "
           "Resource build Input Must be Valid.", "`resources: pipelines`"),
    # Capacity and time
    Problem("bioconda/bioconda-recipes#47856", "parallelism", "No hosted parallelism has been purchased or "
           "granted. To request a free parallelism grant, please fill out the following form "
           "https://aka.ms/azpipelines-parallelism-request", "Organization settings > Parallel jobs"),
    Problem("MicrosoftDocs/mslearn-tailspin-spacegame-web#4923", "parallelism", "##[error]No hosted parallelism "
           "has been purchased or granted.", "Organization settings > Parallel jobs"),
    Problem("microsoft/azure-pipelines-agent#2996", "demands", "##[error]No agent found in pool BUZ-MYB which "
           "satisfies the following demand: agent.name. All demands: agent.name -equals 'ecom-app02-test', "
           "Agent.Version -gtVersion 2.163.1", "Project settings > Agent pools > 'BUZ-MYB' > Agents"),
    Problem("microsoft/azure-pipelines-tasks#15712", "demands", "No agent found in pool which satisfies the "
           "specified demands: azureps, Agent.Version -gtVersion 2.163.1", "Project settings > Agent pools"),
    Problem("microsoft/azure-pipelines-agent#4258", "demands", "No agent found in pool XXX which satisfies the "
           "specified demands: azureps, Agent.Version -gtVersion 2.144.0", "Project settings > Agent pools > "
           "'XXX' > Agents"),
    Problem("Azure/mlops-v2#78", "timeout", "The job running on agent Hosted Agent ran longer than the maximum "
           "time of 60 minutes. For more information, see https://go.microsoft.com/fwlink/?linkid=2077134",
           "timeoutInMinutes"),
    Problem("microsoft/azure-pipelines-yaml#227", "timeout", "The job exceeded the maximum allowed time of "
           "01:00:00 and was stopped.", "timeoutInMinutes"),
    Problem("OData/odata.net#2285", "paused", "The queue for OData.net PR is currently paused.",
           "Processing of new run requests"),
    # Not about this pipeline, nor about its branch
    Problem("microsoft/AzureDevOpsDemoGenerator#967", "", "Creation of classic build pipelines is disabled by "
           "your organization administrator."),
    Problem("microsoft/AzureDevOpsDemoGenerator#1026", "", "The creation of classic release pipelines is "
           "disabled for this project."),
    Problem("microsoft/vscode#155632", "", "TF400733: The request has been canceled: Request was blocked due to "
           "exceeding usage of resource 'Concurrency' in namespace 'User'."),
)  # fmt: skip
"""Texts about a run, of refusals and of failed runs alike."""

LOST_AGENTS = {
    "microsoft/azure-pipelines-agent#3015": "We stopped hearing from agent Azure Pipelines 2. Verify the machine runs.",
    "dotnet/dnceng#1886": "##[error]The agent: NetCore1ESPool-Internal 2 lost communication with the server.",
    "microsoft/azure-pipelines-agent#2261": "The job has been abandoned because agent x did not renew the lock.",
    "dotnet/arcade#9207": "An error occurred while provisioning resources (Error Type: Disconnect).",
    "microsoft/azure-pipelines-agent#3953": "The agent has received a shutdown signal. The agent service is stopped.",
    "actions/runner-images#9812": "The hosted runner encountered an error while running your job. "
    "(Error Type: Disconnect).",
    "dotnet/dnceng#1919": "Received request to deprovision: The request was cancelled by the remote provider.",
    "microsoft/azure-pipelines-agent#5006": "The remote provider was unable to process the request.",
}
"""Texts after which a run is started once more, by their sources."""

ANSWERS = (
    Answer("microsoft/azure-quantum-python#600", 403, "AccessDeniedException", "Access denied. Project "
           "Collection Build Service (ms-azurequantum) needs Edit build quality permissions for "
           "vstfs:///Build/Build/51475 in team project quantum to perform the action.", AccessDenied,
           "Edit build quality for vstfs:///Build/Build/51475", "Manage security"),
    Answer("microsoft/terraform-provider-azuredevops#1040", 403, "AccessDeniedException",
           "TF215106: Access denied. Project Collection Build Service (o) needs Edit queue build configuration "
           "permissions for build pipeline 31:infra in team project platform to perform the action. For more "
           "information, contact the Azure DevOps Server administrator.", AccessDenied,
           "Edit queue build configuration for build pipeline 31:infra", "free-text template parameters"),
    Answer("huserben/TfsExtensions#118", 403, "", "TF215106: Access denied. Ann Author needs Queue builds "
           "permissions for build pipeline 31:infra in team project platform to perform the action. For more "
           "information, contact the Azure DevOps Server administrator.", AccessDenied,
           "'Ann Author' may not do this", "Queue builds"),
    Answer("MicrosoftDocs/azure-devops-docs#6753", 403, "AccessDeniedException", "TF215106: Access denied. P "
           "Build Service (o) needs Queue builds permissions for build pipeline 31:infra in team project "
           "platform to perform the action. For more information, contact the Azure DevOps Server administrator.",
           AccessDenied, "'P Build Service (o)'", "Manage security"),
    Answer("huserben/TfsExtensions#145", 403, "AccessDeniedException", "Access denied. Ann Author needs Use "
           "permissions for pool Default to perform the action.", AccessDenied, "Use for pool Default",
           "Agent pools"),
    Answer("Azure/azure-functions-ux#3888", 403, "AccessDeniedException", "Access denied.  needs Use permissions "
           "for pool Azure Pipelines to perform the action.", AccessDenied, "Use for pool Azure Pipelines",
           "Agent pools"),
    Answer("microsoft/azure-devops-extension-tasks#8", 403, "AccessCheckException", "Access Denied: Ann Author "
           "needs the following permission(s) to perform this action: Edit instance-level information",
           AccessDenied, "Edit instance-level information", "Organization settings > Permissions"),
    Answer("microsoft/azure-pipelines-tasks#18732", 401, "AccessCheckException", "The Personal Access Token used "
           "has expired. Token should be renewed or a new one created.", BadCredentials, "expired", "renewed"),
    Answer("microsoft/azure-pipelines-agent#1559", 401, "", "The Personal Access Token used has expired.",
           BadCredentials, "expired", "renewed"),
    Answer("microsoft/coe-starter-kit#6694", 403, "VssServiceException", "VS403463: The conditional access "
           "policy defined by your Microsoft Entra administrator has failed.", AccessDenied,
           "conditional access policy", "administrator of Microsoft Entra"),
    Answer("Azure/azure-cli#24108", 401, "", "TF400813: The user 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa' is not "
           "authorized to access this resource.", BadCredentials, "does not accept", "conditional access policy"),
    Answer("Azure/azure-devops-cli-extension#807", 401, "", "TF400813: The user 'Ann Author' is not authorized "
           "to access this resource.", AccessDenied, "'Ann Author' may not do this", "scope"),
    Answer("huserben/TfsExtensions#157", 401, "", "TF400813: The user '' is not authorized to access this "
           "resource.", AccessDenied, "may not do this", "scope"),
    Answer("nkdAgility/azure-devops-migration-tools#1057", 401, "", "TF400813: Resource not available for "
           "anonymous access. Client authentication required.", BadCredentials, "does not accept",
           "Check that it is the right one"),
    Answer("huserben/TfsExtensions#214", 404, "ProjectDoesNotExistWithNameException", "VS800075: The project "
           "with id 'vstfs:///Classification/TeamProject/1' does not exist, or you do not have permission to "
           "access it.", PipelineNotFound, "There is no project 'platform'", "Check the project's name"),
    Answer("microsoft/azure-pipelines-tasks#13357", 403, "", "VS800075: The project with id 'x' does not exist, or "
           "you do not have permission to access it.", PipelineNotFound, "There is no project 'platform'",
           "Check the project's name"),
    Answer("shayki5/azure-devops-create-pr-task#193", 404, "GitRepositoryNotFoundException",
           "TF401019: The Git repository with name or identifier r does not exist or you do not have permissions "
           "for the operation you are attempting.", AccessDenied, "A repository that this takes cannot be read",
           "Protect access to repositories"),
    Answer("MicrosoftDocs/azure-devops-docs#10514", 401, "", "TF401019: The Git repository with name or "
           "identifier r does not exist or you do not have permissions for the operation you are attempting.",
           AccessDenied, "A repository that this takes cannot be read", "Protect access to repositories"),
    Answer("microsoft/azure-pipelines-agent#995", 404, "GitRepositoryNotFoundException",
           "TF401019: Das Git-Repository mit dem Namen oder Bezeichner r ist nicht vorhanden, oder Sie haben "
           "keine Berechtigung.", AccessDenied, "A repository that this takes cannot be read",
           "Protect access to repositories"),
    Answer("a text in another language, with the number of huserben/TfsExtensions#118", 403,
           "AccessDeniedException", "TF215106: Zugriff verweigert. Ann Author benötigt Berechtigungen.",
           AccessDenied, '"TF215106: Zugriff verweigert.', "Queue builds"),
    Answer("ewingjm/development-hub#73", 400, "BuildRequestValidationFailedException",
           "Could not queue the build because there were validation errors or warnings.\nAn error occurred while "
           "loading the YAML build pipeline. The repository FieldServices in project 98e11077-9170 could not be "
           "retrieved.", QueueRefused, "No run was queued: a repository that the run needs cannot be read",
           "Protect access to repositories"),
    Answer("huserben/TfsExtensions#195", 403, "", "Access denied. Project Collection Build Service (o) needs Use "
           "permissions for pool Build perform the action. For more information, contact the administrator.",
           AccessDenied, "Use for pool Build is missing", "Project settings > Agent pools"),
)  # fmt: skip
"""Answers about identities and their rights."""
