// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuthority} from "../../contracts/interfaces/IAuthority.sol";
import {IBenefits} from "../../contracts/interfaces/IBenefits.sol";
import {IJournal} from "../../contracts/interfaces/IJournal.sol";
import {ISignedMessages} from "../../contracts/interfaces/ISignedMessages.sol";
import {IOrganisations} from "../../contracts/interfaces/IOrganisations.sol";
import {BenefitsFace} from "./Faces.sol";
import {Shelf} from "./Shelf.sol";
import {Verifier, Wallet} from "./Signers.sol";
import {BurningWallet, CallingWallet, RevertingWallet} from "./Wallets.sol";

/// @title Redeeming by signed message, and what thieves of messages try
contract BenefitsSignedTest is Shelf {
    bytes32 private constant REDEMPTION = keccak256(
        "Redemption(uint16 programmeId,uint32 listingId,uint32 orgId,uint32 quantity,uint64 credits,"
        "address account,bytes32 operationId,uint256 deadline)"
    );
    bytes32 private constant CANCELLATION =
        keccak256("Cancellation(address account,bytes32 operationId,uint256 deadline)");
    uint256 private constant DEADLINE = OPENS + 1 hours;
    string private constant DOMAIN_NAME = "Moonlake Benefits";

    /// @dev What is signed: organisation 3 redeems two units.
    struct Message {
        uint16 programmeId;
        uint32 listingId;
        uint32 orgId;
        uint32 quantity;
        uint64 credits;
        address account;
        bytes32 operationId;
        uint256 deadline;
    }

    // --- who can sign

    function test_signed__by_the_controllers_key__redeems_whoever_sends_it() public {
        _watch(address(benefits));
        vm.prank(stranger);
        uint64 redemptionId = benefits.redeemBySignature(listed, 3, 2, OPERATION, _signedBy(_key(3), _message()));
        bytes memory line = abi.encode(
            IBenefits.BenefitRedeemed.selector,
            _number(1),
            listed,
            3,
            redemptionId,
            2,
            2 * PRICE,
            credits.sequence(),
            _controller(3),
            OPERATION
        );
        vm.assertEq(_assertLine(line).length, 0, "echoes");
        _assertUnits(3, 2, 2);
        vm.assertEq(credits.balanceOf(FIRST, 3), int64(WEALTH - 2 * PRICE), "balance");
    }

    function test_signed__by_a_wallet__redeems() public {
        address wallet = address(new Wallet(vm.addr(_key("wallet"))));
        uint32 orgId = _join(wallet);
        _sent(orgId, _signedAs(abi.encodePacked(wallet), _key("wallet"), orgId), "");
        // A wallet sends transactions too.
        bytes memory data = abi.encodeCall(benefits.redeem, (listed, orgId, 1, _operation()));
        (bool done,) = Wallet(wallet).send(address(benefits), data);
        vm.assertTrue(done, "call");
        vm.assertEq(benefits.redeemedBy(listed, orgId), 3, "redeemed");
    }

    function test_signed__by_a_verifiers_key__redeems() public {
        bytes memory signer = abi.encodePacked(address(new Verifier()), vm.addr(_key("passkey")), "salt");
        address account = benefits.accountOf(signer);
        uint32 orgId = _join(account);
        _sent(orgId, _signedAs(signer, _key("another"), orgId), _invalid(account));
        _sent(orgId, _signedAs(signer, _key("passkey"), orgId), "");
        vm.assertEq(benefits.redeemedBy(listed, orgId), 2, "redeemed");
    }

    function test_signed__by_a_signer_who_is_not_the_controller__is_refused() public {
        _sent(3, _signedBy(_key("stranger"), _message()), _notController(stranger, 3));
        _sent(3, _signedBy(_key(2), _message()), _notController(_controller(2), 3));
        _sent(3, _signedBy(_key("council"), _message()), _notController(council, 3));
        // In the controller's name.
        ISignedMessages.Signed memory signed = _signedBy(_key("stranger"), _message());
        signed.signer = abi.encodePacked(_controller(3));
        _sent(3, signed, _invalid(_controller(3)));
        // A verifier of the thief's own, that takes any signature, is an account of its own.
        bytes memory signer = abi.encodePacked(new Verifier(), stranger);
        _sent(3, _signedAs(signer, _key("stranger"), 3), _notController(benefits.accountOf(signer), 3));
        signed.signer = hex"01";
        _sent(3, signed, abi.encodeWithSelector(ISignedMessages.SignedSignerMalformed.selector, 1));
        signed.signer = "";
        _sent(3, signed, abi.encodeWithSelector(ISignedMessages.SignedSignerMalformed.selector, 0));
    }

    // --- what is signed

    function test_signed__any_other_field__is_refused() public {
        for (uint256 field = 0; field < 8; ++field) {
            Message memory message = _message();
            if (field == 0) message.programmeId = SECOND;
            if (field == 1) message.listingId = _list(_terms());
            if (field == 2) message.orgId = 2;
            if (field == 3) message.quantity = 1;
            if (field == 4) message.credits = 2 * PRICE - 1;
            if (field == 5) message.operationId = "another operation";
            if (field == 7) message.account = _controller(2);
            ISignedMessages.Signed memory signed = _signedBy(_key(3), message);
            if (field == 6) signed.deadline = DEADLINE + 1;
            _sent(3, signed, _invalid(_controller(3)));
        }
    }

    function test_signed__any_other_argument__is_refused() public {
        ISignedMessages.Signed memory signed = _signedBy(_key(3), _message());
        bytes memory failure = _invalid(_controller(3));
        uint32 other = _list(_terms());
        _sentFor(other, 3, 2, OPERATION, signed, failure);
        _sentFor(listed, 2, 2, OPERATION, signed, failure);
        _sentFor(listed, 3, 1, OPERATION, signed, failure);
        _sentFor(listed, 3, 3, OPERATION, signed, failure);
        _sentFor(listed, 3, type(uint32).max, OPERATION, signed, failure);
        _sentFor(listed, 3, 2, "another operation", signed, failure);
        _sentFor(other + 1, 3, 2, OPERATION, signed, _unknownListing(other + 1));
    }

    function test_signed__for_another_programmes_listing__names_that_programme() public {
        Message memory message = _message();
        message.listingId = _list(_termsOf(SECOND, PRICE, CAPACITY, LIMIT));
        message.orgId = 2;
        bytes memory failure = _invalid(_controller(2));
        _sentFor(message.listingId, 2, 2, OPERATION, _signedBy(_key(2), message), failure);
        message.programmeId = SECOND;
        _sentFor(message.listingId, 2, 2, OPERATION, _signedBy(_key(2), message), "");
        vm.assertEq(credits.balanceOf(SECOND, 2), int64(WEALTH - 2 * PRICE), "balance");
    }

    /// @dev A quantity whose price does not fit 64 bits is no message that a wallet signs.
    function test_signed__for_more_than_there_can_be__is_refused() public {
        uint32 dear = _list(_termsOf(FIRST, MOST, 1, 1));
        Message memory message = _message();
        (message.listingId, message.quantity) = (dear, type(uint32).max);
        unchecked {
            message.credits = uint64(MOST * uint256(type(uint32).max));
        }
        message.account = _controller(3);
        ISignedMessages.Signed memory signed = _signedBy(_key(3), message);
        _sentFor(dear, 3, type(uint32).max, OPERATION, signed, _invalid(_controller(3)));
    }

    function test_signed__for_another_contract_name_or_chain__is_refused() public {
        Message memory message = _message();
        message.account = _controller(3);
        bytes32 hash = _hash(message);
        bytes memory failure = _invalid(_controller(3));
        _sent(3, _signed(_key(3), address(shares), DOMAIN_NAME, hash, DEADLINE), failure);
        _sent(3, _signed(_key(3), address(benefits), "Moonlake Shares", hash, DEADLINE), failure);
        ISignedMessages.Signed memory signed = _signedBy(_key(3), _message());
        uint256 chain = block.chainid;
        vm.chainId(chain + 1);
        _sent(3, signed, failure);
        vm.chainId(chain);
        _sent(3, signed, "");
    }

    /// @dev The same contract deployed again knows nothing of what was done at the first.
    function test_signed__for_the_benefits_deployed_before__is_refused() public {
        ISignedMessages.Signed memory signed = _signedBy(_key(3), _message());
        bytes memory arguments = abi.encode(authority, programmes, organisations, memberships, credits);
        benefits = BenefitsFace(vm.deployCode("Benefits.sol", arguments));
        _list(_terms());
        _sent(3, signed, _invalid(_controller(3)));
    }

    function test_signed__high_s_or_cut__is_refused() public {
        ISignedMessages.Signed memory signed = _signedBy(_key(3), _message());
        bytes memory right = signed.signature;
        signed.signature = _malleated(right);
        _sent(3, signed, _invalid(_controller(3)));
        signed.signature = "";
        _sent(3, signed, _invalid(_controller(3)));
        signed.signature = abi.encodePacked(right, uint8(0));
        _sent(3, signed, _invalid(_controller(3)));
        signed.signature = right;
        _sent(3, signed, "");
        // Nor is the other form a second message.
        signed.signature = _malleated(right);
        _sent(3, signed, _done());
    }

    // --- when

    function test_signed__last_second_of_the_deadline__is_done() public {
        ISignedMessages.Signed memory signed = _signedBy(_key(3), _message());
        vm.warp(DEADLINE + 1);
        _sent(3, signed, abi.encodeWithSelector(ISignedMessages.SignedExpired.selector, DEADLINE, DEADLINE + 1));
        vm.warp(DEADLINE);
        _sent(3, signed, "");
    }

    function test_signed__sent_again__is_refused_as_done() public {
        ISignedMessages.Signed memory signed = _signedBy(_key(3), _message());
        _sent(3, signed, "");
        _sent(3, signed, _done());
        vm.warp(DEADLINE + 1); // whatever else stands against it by now
        _sent(3, signed, _done());
        // By the plain way as well.
        _send(
            address(benefits), _controller(3), abi.encodeCall(benefits.redeem, (listed, 3, 2, OPERATION)), _done()
        );
        _assertUnits(3, 2, 2);
    }

    function test_signed__front_run_with_the_message_itself__has_the_same_effect() public {
        ISignedMessages.Signed memory signed = _signedBy(_key(3), _message());
        vm.prank(_controller(2)); // who gains nothing by it
        benefits.redeemBySignature(listed, 3, 2, OPERATION, signed);
        _sent(3, signed, _done());
        _assertUnits(3, 2, 2);
        vm.assertEq(credits.balanceOf(FIRST, 2), int64(WEALTH), "balance of the one in front");
    }

    /// @dev Another member sees the message's id and takes it, in both contracts: it takes its own.
    function test_signed__front_run_by_its_operation_id__is_done_all_the_same() public {
        ISignedMessages.Signed memory signed = _signedBy(_key(3), _message());
        vm.prank(_controller(2));
        benefits.redeem(listed, 2, 1, OPERATION);
        vm.prank(council);
        credits.award(FIRST, _awards(2, 1), OPERATION);
        _sent(3, signed, "");
        vm.assertEq(credits.balanceOf(FIRST, 3), int64(WEALTH - 2 * PRICE), "balance");
        _sent(3, signed, _done());
        _assertUnits(3, 2, 3);
    }

    /// @dev Sent first and then signed, as the other way round: one operation of one account.
    function test_signed__done_without_signature_before__is_refused_as_done() public {
        ISignedMessages.Signed memory signed = _signedBy(_key(3), _message());
        vm.prank(_controller(3));
        benefits.redeem(listed, 3, 2, OPERATION);
        _sent(3, signed, _done());
        _assertUnits(3, 2, 2);
    }

    /// @dev One key that an organisation has of its own, and that owns another's wallet: what it signs for
    /// the one is nothing to the other.
    function test_signed__for_another_account_of_the_same_key__is_refused() public {
        address wallet = address(new Wallet(_controller(3)));
        uint32 orgId = _join(wallet);
        Message memory message = _message();
        message.account = _controller(3);
        _sent(3, _signedFor(abi.encodePacked(wallet), _key(3), _digestOf(message), DEADLINE), _invalid(wallet));
        (message.orgId, message.account) = (orgId, wallet);
        _sent(
            orgId,
            _signedFor(abi.encodePacked(_controller(3)), _key(3), _digestOf(message), DEADLINE),
            _invalid(_controller(3))
        );
        _sent(orgId, _signedFor(abi.encodePacked(wallet), _key(3), _digestOf(message), DEADLINE), "");
        // Nor did the wallet's operation use up the key's own.
        _sent(3, _signedBy(_key(3), _message()), "");
    }

    function test_signed__cancelled_by_its_signer__is_refused() public {
        ISignedMessages.Signed memory signed = _signedBy(_key(3), _message());
        vm.prank(_controller(2)); // another's says nothing
        benefits.cancelMessage(OPERATION);
        uint256 before = vm.snapshotState();
        _sent(3, signed, "");
        vm.revertToState(before);
        vm.prank(_controller(3));
        benefits.cancelMessage(OPERATION);
        _sent(3, signed, _cancelled());
        vm.assertTrue(benefits.isCancelled(_controller(3), OPERATION), "cancelled");
        // The id is not used up: the controller can still redeem by it.
        vm.prank(_controller(3));
        benefits.redeem(listed, 3, 2, OPERATION);
    }

    function test_signed__cancelled_by_signature_while_paused__is_refused() public {
        ISignedMessages.Signed memory signed = _signedBy(_key(3), _message());
        _pause();
        _sent(3, signed, abi.encodePacked(IAuthority.AuthorityPaused.selector));
        bytes32 cancellation = keccak256(abi.encode(CANCELLATION, _controller(3), OPERATION, DEADLINE));
        benefits.cancelMessageBySignature(
            OPERATION, _signed(_key(3), address(benefits), DOMAIN_NAME, cancellation, DEADLINE)
        );
        _resume();
        _sent(3, signed, _cancelled());
    }

    function test_signed__controller_changed_since__is_refused() public {
        ISignedMessages.Signed memory signed = _signedBy(_key(3), _message());
        _rotate(3, stranger);
        _sent(3, signed, _notController(_controller(3), 3));
        _sent(3, _signedBy(_key("stranger"), _message()), "");
        _assertUnits(3, 2, 2);
    }

    function test_signed__organisation_retired_since__is_refused() public {
        ISignedMessages.Signed memory signed = _signedBy(_key(3), _message());
        _retire(3, 2);
        _sent(3, signed, abi.encodeWithSelector(IOrganisations.OrganisationsRetired.selector, 3));
    }

    // --- controllers that are contracts

    /// @dev The wallet is asked for its signature by a static call: whatever it calls back changes nothing.
    function test_signed__wallet_calls_back__changes_nothing_by_it() public {
        CallingWallet wallet = new CallingWallet();
        uint32 orgId = _join(address(wallet));
        bytes memory within = abi.encodeCall(benefits.redeem, (listed, orgId, 2, "within"));
        wallet.prepare(address(benefits), within);
        _sent(orgId, _signedAs(abi.encodePacked(wallet), _key("any"), orgId), "");
        vm.assertEq(benefits.redeemedBy(listed, orgId), 2, "redeemed");
        vm.assertEq(benefits.operationSequence(address(wallet), "within"), 0, "operation within");
        // The same call by itself is good, so that it was the asking that stopped it.
        vm.prank(address(wallet));
        (bool done,) = address(benefits).call(within);
        vm.assertTrue(done, "call");
    }

    function test_signed__wallet_reverts_or_burns_the_gas__is_refused() public {
        address wallet = address(new RevertingWallet());
        uint32 orgId = _join(wallet);
        _sent(orgId, _signedAs(abi.encodePacked(wallet), _key("any"), orgId), _invalid(wallet));
        wallet = address(new BurningWallet());
        orgId = _join(wallet);
        bytes memory data = abi.encodeCall(
            benefits.redeemBySignature,
            (listed, orgId, 2, OPERATION, _signedAs(abi.encodePacked(wallet), _key("any"), orgId))
        );
        (bool done, bytes memory answer) = address(benefits).call{gas: 10_000_000}(data);
        vm.assertFalse(done, "call");
        vm.assertEq(answer, _invalid(wallet), "error");
    }

    // --- signing

    function _message() private view returns (Message memory) {
        return Message(FIRST, listed, 3, 2, 2 * PRICE, address(0), OPERATION, DEADLINE);
    }

    function _hash(Message memory message) private pure returns (bytes32) {
        return keccak256(abi.encode(REDEMPTION, message));
    }

    function _digestOf(Message memory message) private view returns (bytes32) {
        return _digest(address(benefits), DOMAIN_NAME, _hash(message));
    }

    function _signedBy(uint256 key, Message memory message) private view returns (ISignedMessages.Signed memory) {
        if (message.account == address(0)) message.account = vm.addr(key);
        return _signed(key, address(benefits), DOMAIN_NAME, _hash(message), message.deadline);
    }

    /// @dev The message for another organisation, signed by a key for a signer.
    function _signedAs(bytes memory signer, uint256 key, uint32 orgId)
        private
        view
        returns (ISignedMessages.Signed memory)
    {
        Message memory message = _message();
        (message.orgId, message.account) = (orgId, benefits.accountOf(signer));
        return _signedFor(signer, key, _digestOf(message), DEADLINE);
    }

    function _sent(uint32 orgId, ISignedMessages.Signed memory signed, bytes memory failure) private {
        _sentFor(listed, orgId, 2, OPERATION, signed, failure);
    }

    function _sentFor(
        uint32 listingId,
        uint32 orgId,
        uint32 quantity,
        bytes32 operationId,
        ISignedMessages.Signed memory signed,
        bytes memory failure
    ) private {
        bytes memory data = abi.encodeCall(
            benefits.redeemBySignature, (listingId, orgId, quantity, operationId, signed)
        );
        _send(address(benefits), stranger, data, failure);
    }

    /// @dev Registers and admits an organisation with this controller, and gives it credits.
    function _join(address controller) private returns (uint32 orgId) {
        IOrganisations.Registration[] memory given = new IOrganisations.Registration[](1);
        given[0] = IOrganisations.Registration(controller, "company", PROFILE);
        bytes32 operationId = _operation();
        vm.prank(registrar);
        orgId = organisations.register(given, operationId);
        _admit(FIRST, orgId);
        _award(FIRST, orgId, WEALTH);
    }

    function _done() private view returns (bytes memory) {
        return abi.encodeWithSelector(
            IJournal.JournalOperationDone.selector,
            OPERATION,
            benefits.operationSequence(_controller(3), OPERATION)
        );
    }

    function _cancelled() private pure returns (bytes memory) {
        return abi.encodeWithSelector(ISignedMessages.SignedCancelled.selector, _controller(3), OPERATION);
    }

    function _invalid(address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ISignedMessages.SignedInvalid.selector, account);
    }
}
